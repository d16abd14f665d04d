// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A block that is read before it is freed costs a miss where the heap is large and old, and the next one's follows only
// when this one is done with.  Two shapes tell early where the next ones lie:
//
// A loop over an array of pointers.  Its element so many rounds ahead is read, the last one where there are not so
// many, and the line that it points to fetched.  The array is read no further than the loop itself does: one exit,
// counted, and nothing in the loop that may end it otherwise.
//
// A function that calls itself for several pointers of one block, a node's children.  The later ones are fetched before
// the first call, where the function is sure to read them anyway, so that they are of one block of memory.
//
// Along a list nothing is known early (docs/decisions/0040-fetched-ahead-of-frees.md).

#include "Fetch.h"
#include "AllocSites.h"
#include "Remarks.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/Analysis/LoopInfo.h"
#include "llvm/Analysis/PostDominators.h"
#include "llvm/Analysis/ScalarEvolutionExpressions.h"
#include "llvm/Analysis/TargetTransformInfo.h"
#include "llvm/Analysis/ValueTracking.h"
#include "llvm/IR/Dominators.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/Transforms/Utils/LoopSimplify.h"
#include "llvm/Transforms/Utils/LoopUtils.h"
#include "llvm/Transforms/Utils/ScalarEvolutionExpander.h"

using namespace llvm;

namespace ng {

static const char *const PassName = "nextgen-batch";

// On a load whose pointer's block is fetched ahead, so that the plugin given twice does not fetch twice.
static constexpr StringLiteral FetchedMark = "ngrt.fetched";

// What the end of the array may cost before the loop, in TargetTransformInfo's units.
static constexpr unsigned ExpansionBudget = 12;

namespace {

class FunctionFetch {
public:
  FunctionFetch(Function &F, FunctionAnalysisManager &FAM, ArrayRef<AllocSite> Frees)
      : F(F), Frees(Frees), DL(F.getParent()->getDataLayout()), LI(FAM.getResult<LoopAnalysis>(F)),
        DT(FAM.getResult<DominatorTreeAnalysis>(F)), PDT(FAM.getResult<PostDominatorTreeAnalysis>(F)),
        SE(FAM.getResult<ScalarEvolutionAnalysis>(F)), TTI(FAM.getResult<TargetIRAnalysis>(F)),
        ORE(FAM.getResult<OptimizationRemarkEmitterAnalysis>(F)), Expander(SE, DL, "ngrt") {}

  void inLoops(unsigned Rounds);
  void inTrees();
  bool hasChanged() const { return Changed; }

private:
  bool isRead(const LoadInst &Block, const Loop &L) const;
  LoadInst *elementOf(const AllocSite &S, const Loop &L) const;
  bool endsByCounting(const Loop &L, unsigned Rounds) const;
  bool fetchElement(LoadInst &Element, Loop &L, unsigned Rounds);
  bool fetchChildren(ArrayRef<LoadInst *> Children);
  void fetch(IRBuilder<> &B, Value *Address, LoadInst &Like);

  Function &F;
  ArrayRef<AllocSite> Frees;
  const DataLayout &DL;
  LoopInfo &LI;
  DominatorTree &DT;
  PostDominatorTree &PDT;
  ScalarEvolution &SE;
  TargetTransformInfo &TTI;
  OptimizationRemarkEmitter &ORE;
  SCEVExpander Expander;
  bool Changed = false;
};

} // namespace

// The pointer that lies at Address, and its line.
void FunctionFetch::fetch(IRBuilder<> &B, Value *Address, LoadInst &Like) {
  LoadInst *Pointer = B.CreateAlignedLoad(Like.getType(), Address, Like.getAlign(), "ngrt.ahead");
  B.CreateIntrinsic(Intrinsic::prefetch, {Like.getType()}, {Pointer, B.getInt32(0), B.getInt32(3), B.getInt32(1)});
  Like.setMetadata(FetchedMark, MDNode::get(F.getContext(), {}));
  Changed = true;
}

// ---- loops ----

// Whether the round looks into the block that Block points to; to free it alone is not to read it.
bool FunctionFetch::isRead(const LoadInst &Block, const Loop &L) const {
  SmallSetVector<const Value *, 8> Parts;
  Parts.insert(&Block);
  for (unsigned I = 0; I < Parts.size(); ++I)
    for (const User *U : Parts[I]->users()) {
      const auto *Use = dyn_cast<Instruction>(U);
      if (!Use || !L.contains(Use))
        continue;
      if (isa<GetElementPtrInst>(Use))
        Parts.insert(Use);
      else if (getLoadStorePointerOperand(Use) == Parts[I])
        return true;
    }
  return false;
}

// The load of the pointer, out of an array along which L goes, to the block that S frees or that a round reads on the
// way to it.
LoadInst *FunctionFetch::elementOf(const AllocSite &S, const Loop &L) const {
  Value *Pointer = S.Pointer;
  for (unsigned Depth = 0; Depth < 3; ++Depth) {
    auto *Load = dyn_cast<LoadInst>(getUnderlyingObject(Pointer));
    if (!Load || !L.contains(Load) || !Load->isSimple() || Load->hasMetadata(FetchedMark))
      return nullptr;
    const auto *Rec = dyn_cast<SCEVAddRecExpr>(SE.getSCEV(Load->getPointerOperand()));
    if (Rec && Rec->getLoop() == &L && Rec->isAffine() && isa<SCEVConstant>(Rec->getStepRecurrence(SE)))
      return isRead(*Load, L) ? Load : nullptr;
    Pointer = Load->getPointerOperand();
  }
  return nullptr;
}

// Whether nothing but its count ends L, after more than so many rounds, and nothing else is called in it: what the last
// round reads can then be read before.
bool FunctionFetch::endsByCounting(const Loop &L, unsigned Rounds) const {
  const SCEV *Back = SE.getBackedgeTakenCount(&L);
  const auto *Known = dyn_cast<SCEVConstant>(Back);
  if (!L.getLoopLatch() || L.getExitingBlock() != L.getLoopLatch() || isa<SCEVCouldNotCompute>(Back) ||
      (Known && Known->getAPInt().ule(Rounds)))
    return false;
  for (BasicBlock *BB : L.blocks())
    for (Instruction &I : *BB) {
      bool IsFree = any_of(Frees, [&](const AllocSite &S) { return S.Call == &I; });
      if (!IsFree && (!isGuaranteedToTransferExecutionToSuccessor(&I) || (isa<CallBase>(I) && !isa<IntrinsicInst>(I))))
        return false;
    }
  return true;
}

bool FunctionFetch::fetchElement(LoadInst &Element, Loop &L, unsigned Rounds) {
  Value *Here = Element.getPointerOperand();
  const auto *Rec = cast<SCEVAddRecExpr>(SE.getSCEV(Here));
  int64_t Step = cast<SCEVConstant>(Rec->getStepRecurrence(SE))->getAPInt().getSExtValue();
  Type *Wide = DL.getIndexType(Here->getType());
  const SCEV *Last = Rec->evaluateAtIteration(SE.getTruncateOrZeroExtend(SE.getBackedgeTakenCount(&L), Wide), SE);
  if (!DT.dominates(Element.getParent(), L.getLoopLatch()) || !SE.isLoopInvariant(Last, &L))
    return false;
  BasicBlock *Preheader = L.getLoopPreheader();
  if (!Preheader) { // this late, empty blocks are gone
    Preheader = InsertPreheaderForLoop(&L, &DT, &LI, /*MSSAU=*/nullptr, /*PreserveLCSSA=*/false);
    if (!Preheader)
      return false;
    Changed = true;
  }
  Instruction *Before = Preheader->getTerminator();
  if (!Expander.isSafeToExpandAt(Last, Before) || Expander.isHighCostExpansion(Last, &L, ExpansionBudget, &TTI, Before))
    return false;
  Value *End = Expander.expandCodeFor(Last, Here->getType(), Before);
  IRBuilder<> B(&Element);
  Value *Ahead = B.CreateGEP(B.getInt8Ty(), Here, ConstantInt::getSigned(Wide, Step * (int64_t)Rounds));
  Value *IsPast = Step > 0 ? B.CreateICmpUGT(Ahead, End) : B.CreateICmpULT(Ahead, End);
  fetch(B, B.CreateSelect(IsPast, End, Ahead), Element);
  return true;
}

void FunctionFetch::inLoops(unsigned Rounds) {
  for (const AllocSite &S : Frees) {
    Loop *L = LI.getLoopFor(S.Call->getParent());
    LoadInst *Element = L ? elementOf(S, *L) : nullptr;
    if (!Element || !endsByCounting(*L, Rounds) || !fetchElement(*Element, *L, Rounds))
      continue;
    remarkDone(ORE, PassName, "Ahead", *S.Call, "what is read before it is fetched " + Twine(Rounds) + " rounds ahead");
  }
}

// ---- trees ----

// The block and the offset that a pointer is loaded from.
static std::pair<Value *, APInt> placeOf(const LoadInst &Load, const DataLayout &DL) {
  APInt Offset(DL.getIndexTypeSizeInBits(Load.getPointerOperandType()), 0);
  Value *Block = const_cast<Value *>(
      Load.getPointerOperand()->stripAndAccumulateConstantOffsets(DL, Offset, /*AllowNonInbounds=*/true));
  return {Block, Offset};
}

// Each is loaded from one block; the first is read before all others.
bool FunctionFetch::fetchChildren(ArrayRef<LoadInst *> Children) {
  auto *First = find_if(Children, [&](LoadInst *One) {
    return all_of(Children, [&](LoadInst *Other) { return Other == One || DT.dominates(One, Other); });
  });
  if (First == Children.end())
    return false;
  bool Fetched = false;
  for (LoadInst *Later : Children) {
    auto [Node, Offset] = placeOf(*Later, DL);
    if (Offset == placeOf(**First, DL).second || Later->hasMetadata(FetchedMark) ||
        !PDT.dominates(Later->getParent(), (*First)->getParent()))
      continue;
    IRBuilder<> B((*First)->getNextNode());
    fetch(B, B.CreateGEP(B.getInt8Ty(), Node, B.getInt(Offset)), *Later);
    Fetched = true;
  }
  return Fetched;
}

void FunctionFetch::inTrees() {
  // What F is called for again, by the block that it is loaded from.
  MapVector<Value *, SmallSetVector<LoadInst *, 4>> Nodes;
  CallBase *Again = nullptr;
  auto Add = [&](Value *V, const Value *Of) {
    auto *Load = dyn_cast<LoadInst>(V);
    if (!Load || !Load->isSimple() || !Load->getType()->isPointerTy())
      return;
    Value *Node = placeOf(*Load, DL).first;
    if (!Of || Of == Node)
      Nodes[Node].insert(Load);
  };
  for (Instruction &I : instructions(F)) {
    if (auto *Call = dyn_cast<CallBase>(&I); Call && Call->getCalledFunction() == &F) {
      Again = Again ? Again : Call;
      for (Value *V : Call->args())
        Add(V, nullptr);
    } else if (auto *Phi = dyn_cast<PHINode>(&I)) {
      for (Value *V : Phi->incoming_values()) // a call of itself that came last is a loop now
        Add(V, Phi);
    }
  }
  if (!Again)
    return;
  for (auto &[Node, Children] : Nodes) {
    bool IsFreed = any_of(Frees, [&, N = Node, &C = Children](const AllocSite &S) {
      return S.Pointer == N || is_contained(C, S.Pointer);
    });
    if (!IsFreed || Children.size() < 2 || !fetchChildren(Children.getArrayRef()))
      continue;
    remarkDone(ORE, PassName, "Ahead", *Again, "the node's other blocks are fetched before");
  }
}

bool fetchAhead(Function &F, FunctionAnalysisManager &FAM, const KeepOut &Rules, unsigned Rounds, bool Trees) {
  const TargetLibraryInfo &TLI = FAM.getResult<TargetLibraryAnalysis>(F);
  SmallVector<AllocSite, 8> Frees;
  for (Instruction &I : instructions(F))
    if (auto *Call = dyn_cast<CallBase>(&I))
      if (std::optional<AllocSite> S = recognise(*Call, TLI); S && S->frees() && !Rules.fromSite(*S))
        Frees.push_back(*S);
  if (Frees.empty() || (Rounds == 0 && !Trees))
    return false;
  FunctionFetch Fetch(F, FAM, Frees);
  if (Trees)
    Fetch.inTrees(); // first, while the post-dominators are right: loops may get preheaders
  if (Rounds != 0)
    Fetch.inLoops(Rounds);
  return Fetch.hasChanged();
}

} // namespace ng
