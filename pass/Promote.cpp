// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// For each allocation: where its address goes (Escape.cpp), then whether the block can move to the stack (decideStack),
// or can be had once for all rounds of a loop (decideLoop). The rest of the file rewrites.

#include "Promote.h"
#include "AllocSites.h"
#include "Escape.h"
#include "Params.h"
#include "Recursion.h"
#include "Remarks.h"
#include "llvm/ADT/Sequence.h"
#include "llvm/Analysis/AssumptionCache.h"
#include "llvm/Analysis/LazyValueInfo.h"
#include "llvm/Analysis/LoopInfo.h"
#include "llvm/Analysis/ScalarEvolution.h"
#include "llvm/IR/Dominators.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/Transforms/InstCombine/InstCombine.h"
#include "llvm/Transforms/Scalar/EarlyCSE.h"
#include "llvm/Transforms/Scalar/SROA.h"
#include "llvm/Transforms/Scalar/SimplifyCFG.h"
#include "llvm/Transforms/Utils/BasicBlockUtils.h"
#include "llvm/Transforms/Utils/LoopSimplify.h"
#include <array>

using namespace llvm;

namespace ng {

static const char *const PassName = "nextgen-promote";

// The bytes that a function's frame has grown by; kept, since a link with LTO runs the pass again.
static constexpr StringLiteral FrameAttr = "ngrt-frame";

// Alignment that a frame can give without being aligned anew itself at much cost.
static constexpr uint64_t MostAlign = 64;

// Exits of a loop at which a buffer would have to be freed.
static constexpr size_t MostExits = 8;

namespace {

// An allocation that can be promoted.
struct Promotion {
  AllocSite Site;
  BlockUses Uses;
  uint64_t Bytes = 0;                  // stack: of the slot
  Align Alignment;                     // stack
  Loop *L = nullptr;                   // the loop for all of whose rounds the block is allocated once; null: stack
  SmallVector<BasicBlock *, 4> FreeAt; // loop: exits that nothing is freed behind
};

class FunctionPromote {
public:
  FunctionPromote(Function &F, FunctionAnalysisManager &FAM, const PromoteOptions &Opts, Escapes &Private,
                  RecursionInfo &Recursive)
      : F(F), FAM(FAM), Opts(Opts), Private(Private), Recursive(Recursive),
        TLI(FAM.getResult<TargetLibraryAnalysis>(F)) {}

  bool run(const KeepOut &Rules);

private:
  SmallVector<AllocSite, 8> candidates(const KeepOut &Rules) const;
  bool promoteToStack(ArrayRef<AllocSite> Sites);
  bool promoteInLoops(const KeepOut &Rules);
  const char *decideStack(Promotion &P);
  const char *decideSize(Promotion &P);
  const char *decideFrame(const Promotion &P);
  const char *decideLoop(Promotion &P);
  const char *fitsLoop(Promotion &P, Loop &L) const;
  const char *decideExits(Promotion &P, Loop &L) const;
  bool mayLeaveIdle(const Promotion &P, const Loop &L) const;
  bool outlivesRound(const Promotion &P) const;
  unsigned frameGrowth() const;
  OptimizationRemarkEmitter &ore() { return FAM.getResult<OptimizationRemarkEmitterAnalysis>(F); }
  void remember(const AllocSite &Site, const char *WhyNot) { Reasons[Site.Call] = WhyNot; }

  Function &F;
  FunctionAnalysisManager &FAM;
  const PromoteOptions &Opts;
  Escapes &Private;
  RecursionInfo &Recursive;
  const TargetLibraryInfo &TLI;
  DenseMap<const CallBase *, const char *> Reasons; // why an allocation does not move to the stack
};

} // namespace

//===-- To the stack --===//

// Whether the address of one round's block can still be had when the next round allocates its own.  A value that is no
// phi is made anew on every way from the allocation to its use, since it dominates the use; so is a phi, unless it
// dominates the allocation.
bool FunctionPromote::outlivesRound(const Promotion &P) const {
  const DominatorTree &DT = FAM.getResult<DominatorTreeAnalysis>(F);
  return any_of(P.Uses.Phis,
                [&](const PHINode *Phi) { return DT.dominates(Phi->getParent(), P.Site.Call->getParent()); });
}

// Sets Bytes and Alignment: a constant, or the most that a variable size can be here.
const char *FunctionPromote::decideSize(Promotion &P) {
  const AllocSite &S = P.Site;
  P.Alignment = Align(16);
  if (S.Align) {
    const auto *A = dyn_cast<ConstantInt>(S.Align);
    if (!A || !isPowerOf2_64(A->getZExtValue()) || A->getZExtValue() > MostAlign)
      return "its alignment is not constant, or large";
    P.Alignment = std::max(P.Alignment, Align(A->getZExtValue()));
  }
  if (std::optional<uint64_t> Bytes = S.constantBytes()) {
    P.Bytes = std::max<uint64_t>(*Bytes, 1);
    return P.Bytes <= Opts.MaxBytes ? nullptr : "it is too large for the stack";
  }
  if (S.Count || S.Align)
    return "its size is not constant";
  ConstantRange Range = FAM.getResult<LazyValueAnalysis>(F).getConstantRange(S.Size, S.Call, /*UndefAllowed=*/false);
  if (Range.isFullSet() || Range.getUnsignedMax().ugt(Opts.MaxBytes))
    return "its size has no small bound";
  P.Bytes = std::max<uint64_t>(Range.getUnsignedMax().getZExtValue(), 1);
  return nullptr;
}

unsigned FunctionPromote::frameGrowth() const {
  unsigned Bytes = 0;
  if (F.getFnAttribute(FrameAttr).getValueAsString().getAsInteger(10, Bytes))
    return 0;
  return Bytes;
}

const char *FunctionPromote::decideFrame(const Promotion &P) {
  uint64_t Growth = frameGrowth() + P.Bytes;
  switch (Recursive.of(F)) {
  case Recursion::Certain:
    return "the function recurses";
  case Recursion::Unknown:
    return Growth <= Opts.MaxUnknown ? nullptr : "the function may recurse, and its frame would grow too much";
  case Recursion::None:
    return Growth <= Opts.MaxFrame ? nullptr : "the function's frame would grow too much";
  }
  llvm_unreachable("a kind of recursion without a decision");
}

const char *FunctionPromote::decideStack(Promotion &P) {
  if (const char *Why = Private.trace(P.Site, P.Uses))
    return Why;
  if (outlivesRound(P))
    return "it may live on into the next round of its loop";
  if (const char *Why = decideSize(P))
    return Why;
  return decideFrame(P);
}

// Takes a call out; an invoke goes on to its normal destination.
static void removeCall(CallBase &Call) {
  if (auto *Invoke = dyn_cast<InvokeInst>(&Call)) {
    Invoke->getUnwindDest()->removePredecessor(Invoke->getParent());
    IRBuilder<>(Invoke).CreateBr(Invoke->getNormalDest());
  }
  Call.eraseFromParent();
}

static void rewriteToStack(Promotion &P) {
  CallBase *Call = P.Site.Call;
  Function &F = *Call->getFunction();
  BasicBlock &Entry = F.getEntryBlock();
  IRBuilder<> B(&Entry, Entry.getFirstInsertionPt());
  AllocaInst *Slot = B.CreateAlloca(ArrayType::get(B.getInt8Ty(), P.Bytes));
  Slot->setAlignment(P.Alignment);

  // A caller's tail call may not see the caller's frame.
  for (CallInst *Passed : P.Uses.Passed)
    Passed->setTailCallKind(CallInst::TCK_None);
  B.SetInsertPoint(Call);
  ConstantInt *Bytes = B.getInt64(P.Bytes);
  B.CreateLifetimeStart(Slot, Bytes);
  if (P.Site.Kind == SiteKind::Calloc)
    B.CreateMemSet(Slot, B.getInt8(0), P.Bytes, P.Alignment);
  for (const AllocSite &Free : P.Uses.Frees) {
    // A phi may be NULL while the block is in use.
    if (Free.Pointer->stripPointerCasts() == Call) {
      B.SetInsertPoint(Free.Call);
      B.CreateLifetimeEnd(Slot, Bytes);
    }
    removeCall(*Free.Call);
  }
  Call->replaceAllUsesWith(Slot);
  Slot->takeName(Call);
  removeCall(*Call);
}

bool FunctionPromote::promoteToStack(ArrayRef<AllocSite> Sites) {
  bool Changed = false;
  for (const AllocSite &Site : Sites) {
    Promotion P;
    P.Site = Site;
    if (const char *Why = decideStack(P)) {
      remember(Site, Why);
      continue;
    }
    remarkDone(ore(), PassName, "Stack", *Site.Call, "moved to the stack, " + Twine(P.Bytes) + " bytes");
    F.addFnAttr(FrameAttr, Twine(frameGrowth() + P.Bytes).str());
    rewriteToStack(P);
    FAM.invalidate(F, PreservedAnalyses::none());
    Changed = true;
  }
  return Changed;
}

//===-- Once for a loop --===//

// Which exits of L leave the buffer without an owner: those get its free.  From others the block lives on and is freed
// right behind: that free stays.
const char *FunctionPromote::decideExits(Promotion &P, Loop &L) const {
  SmallPtrSet<const BasicBlock *, 8> Outside, Freeing;
  for (const Instruction *I : P.Uses.All)
    if (!L.contains(I))
      Outside.insert(I->getParent());
  for (const AllocSite &Free : P.Uses.Frees)
    if (!L.contains(Free.Call))
      Freeing.insert(Free.Call->getParent());
  SmallVector<BasicBlock *, 8> Exits;
  L.getUniqueExitBlocks(Exits);
  if (Exits.size() > MostExits)
    return "its loop has too many exits";
  SmallPtrSet<const BasicBlock *, 8> Covered;
  for (BasicBlock *Exit : Exits) {
    SmallVector<const BasicBlock *, 4> Way;
    for (const BasicBlock *BB = Exit; BB && Way.size() < 4; BB = BB->getSingleSuccessor()) {
      // Only ways that come from this exit: the free must not serve one that never allocated.
      if (BB != Exit && !BB->getSinglePredecessor())
        break;
      Way.push_back(BB);
      if (Freeing.count(BB))
        break;
    }
    if (!Way.empty() && Freeing.count(Way.back()))
      Covered.insert(Way.begin(), Way.end());
    else
      P.FreeAt.push_back(Exit);
  }
  return all_of(Outside, [&](const BasicBlock *BB) { return Covered.count(BB); }) ? nullptr
                                                                                  : "it is used after its loop";
}

// Whether I may end its function as no exit of a loop does: by an exception that nobody here sees, by longjmp, or by
// the thread's end.  libc's own functions do so only where they call back.
static bool mayLeave(const Instruction &I, const TargetLibraryInfo &TLI) {
  const auto *Call = dyn_cast<CallBase>(&I);
  if (!Call || isa<IntrinsicInst>(Call) || (Call->doesNotThrow() && Call->hasFnAttr(Attribute::WillReturn)))
    return false;
  if (const auto *Invoke = dyn_cast<InvokeInst>(Call)) {
    const auto *Pad = Invoke->getLandingPadInst();
    auto CatchesAll = [&](unsigned Clause) {
      return Pad->isCatch(Clause) && isa<ConstantPointerNull>(Pad->getClause(Clause));
    };
    return !Pad->isCleanup() && none_of(seq(0u, Pad->getNumClauses()), CatchesAll);
  }
  LibFunc Func;
  return !Call->doesNotThrow() || !TLI.getLibFunc(*Call, Func) || !TLI.has(Func) || callsBack(Func);
}

// Whether the function may be left while the round does not have the block: it would be lost then, since it is kept.
bool FunctionPromote::mayLeaveIdle(const Promotion &P, const Loop &L) const {
  SmallVector<const Instruction *, 8> Work{&L.getHeader()->front()};
  SmallPtrSet<const BasicBlock *, 16> Seen{L.getHeader()};
  auto GoOn = [&](const BasicBlock *BB) {
    for (const BasicBlock *Next : successors(BB))
      if (L.contains(Next) && Seen.insert(Next).second)
        Work.push_back(&Next->front());
  };
  for (const AllocSite &Free : P.Uses.Frees) {
    if (!L.contains(Free.Call))
      continue;
    if (Free.Call->isTerminator())
      GoOn(Free.Call->getParent());
    else
      Work.push_back(Free.Call->getNextNode());
  }
  while (!Work.empty()) {
    const Instruction *I = Work.pop_back_val();
    for (; I && I != P.Site.Call; I = I->getNextNode()) {
      if (mayLeave(*I, TLI))
        return true;
      if (I->isTerminator())
        GoOn(I->getParent());
    }
  }
  return false;
}

const char *FunctionPromote::fitsLoop(Promotion &P, Loop &L) const {
  if (!L.getLoopPreheader() || !L.getLoopLatch() || !L.hasDedicatedExits())
    return "its loop is not simple";
  for (Value *V : {P.Site.Size, P.Site.Align})
    if (V && !L.isLoopInvariant(V))
      return "its size changes from round to round";
  if (none_of(P.Uses.Frees, [&](const AllocSite &Free) {
        return L.contains(Free.Call) && (!Free.Size || L.isLoopInvariant(Free.Size)) &&
               (!Free.Align || L.isLoopInvariant(Free.Align));
      }))
    return "the round that allocates it does not free it";
  if (mayLeaveIdle(P, L))
    return "the function may be left where it is freed";
  P.FreeAt.clear();
  return decideExits(P, L);
}

const char *FunctionPromote::decideLoop(Promotion &P) {
  LoopInfo &LI = FAM.getResult<LoopAnalysis>(F);
  Loop *L = LI.getLoopFor(P.Site.Call->getParent());
  if (!L)
    return "it is in no loop";
  if (const char *Why = Private.trace(P.Site, P.Uses))
    return Why;
  if (P.Site.Kind == SiteKind::Calloc)
    return "each round would have to zero it";
  if (outlivesRound(P))
    return "it may live on into the next round of its loop";
  if (const char *Why = fitsLoop(P, *L))
    return Why;
  SmallVector<BasicBlock *, 4> FreeAt;
  do {
    P.L = L;
    FreeAt = P.FreeAt;
    L = L->getParentLoop();
  } while (L && !fitsLoop(P, *L));
  P.FreeAt = FreeAt;
  return nullptr;
}

// A call that frees Pointer as Like does.
static void freeLike(IRBuilderBase &B, const AllocSite &Like, Value *Pointer) {
  SmallVector<Value *, 3> Args(Like.Call->args());
  std::replace(Args.begin(), Args.end(), Like.Pointer, Pointer);
  CallInst *New = B.CreateCall(Like.Call->getFunctionType(), Like.Call->getCalledOperand(), Args);
  New->setAttributes(Like.Call->getAttributes());
  New->setCallingConv(Like.Call->getCallingConv());
  New->setDebugLoc(Like.Call->getDebugLoc());
}

// Puts the call into a block that runs only where the slot is empty; what was the call's value is a phi then.
static void allocateOnce(CallBase &Call, AllocaInst &Slot) {
  BasicBlock *Head = Call.getParent();
  Function *F = Head->getParent();
  LLVMContext &Ctx = F->getContext();
  BasicBlock *Fresh, *Join;
  IRBuilder<> B(&Call);
  if (auto *Invoke = dyn_cast<InvokeInst>(&Call)) {
    BasicBlock *Normal = Invoke->getNormalDest();
    Fresh = BasicBlock::Create(Ctx, "ngrt.first", F, Normal);
    BasicBlock *Got = BasicBlock::Create(Ctx, "ngrt.got", F, Normal);
    Join = BasicBlock::Create(Ctx, "ngrt.buffer", F, Normal);
    Normal->replacePhiUsesWith(Head, Join);
    Invoke->getUnwindDest()->replacePhiUsesWith(Head, Fresh);
    Invoke->removeFromParent();
    Invoke->insertInto(Fresh, Fresh->end());
    Invoke->setNormalDest(Got);
    B.SetInsertPoint(Join);
    B.CreateBr(Normal);
    B.SetInsertPoint(Got);
    B.CreateBr(Join);
    B.SetInsertPoint(Head);
  } else {
    Fresh = SplitBlock(Head, &Call);
    Join = SplitBlock(Fresh, Call.getNextNode());
    Fresh->setName("ngrt.first");
    Join->setName("ngrt.buffer");
    Head->getTerminator()->eraseFromParent();
    B.SetInsertPoint(Head);
  }
  Value *Held = B.CreateLoad(Call.getType(), &Slot);
  B.CreateCondBr(B.CreateIsNull(Held), Fresh, Join);
  BasicBlock *Got = isa<InvokeInst>(Call) ? cast<InvokeInst>(Call).getNormalDest() : Fresh;
  PHINode *Buffer = PHINode::Create(Call.getType(), 2, "", &Join->front());
  Call.replaceAllUsesWith(Buffer);
  Buffer->takeName(&Call);
  Buffer->addIncoming(Held, Head);
  Buffer->addIncoming(&Call, Got);
  B.SetInsertPoint(Got->getTerminator());
  B.CreateStore(&Call, &Slot);
}

// Whether every round allocates, from the first on: then the call may stand before the loop.
static bool isSure(const Promotion &P, const DominatorTree &DT) {
  SmallVector<BasicBlock *, 4> Exiting;
  P.L->getExitingBlocks(Exiting);
  const BasicBlock *Here = P.Site.Call->getParent();
  return isa<CallInst>(P.Site.Call) && DT.dominates(Here, P.L->getLoopLatch()) &&
         all_of(Exiting, [&](const BasicBlock *BB) { return DT.dominates(Here, BB); });
}

// The block lives in Holder (null between two uses of the loop), or is the call's value itself where the call can stand
// before the loop.
static void rewriteInLoop(Promotion &P, const DominatorTree &DT) {
  CallBase *Call = P.Site.Call;
  const AllocSite *Like = nullptr;
  for (const AllocSite &Free : P.Uses.Frees)
    if (P.L->contains(Free.Call))
      Like = &Free;
  bool Sure = isSure(P, DT);
  Instruction *Before = P.L->getLoopPreheader()->getTerminator();
  IRBuilder<> B(Before);
  AllocaInst *Holder = nullptr;
  if (!Sure) {
    BasicBlock &Entry = Call->getFunction()->getEntryBlock();
    B.SetInsertPoint(&Entry, Entry.getFirstInsertionPt());
    Holder = B.CreateAlloca(Call->getType());
    B.SetInsertPoint(Before);
    B.CreateStore(Constant::getNullValue(Call->getType()), Holder);
  }
  auto Held = [&]() -> Value * { return Sure ? static_cast<Value *>(Call) : B.CreateLoad(Call->getType(), Holder); };
  for (BasicBlock *Exit : P.FreeAt) {
    B.SetInsertPoint(Exit, Exit->getFirstInsertionPt());
    freeLike(B, *Like, Held());
  }
  SmallVector<CallBase *, 4> Gone;
  for (const AllocSite &Free : P.Uses.Frees) {
    if (P.L->contains(Free.Call)) {
      Gone.push_back(Free.Call);
      continue;
    }
    B.SetInsertPoint(Free.Call);
    Free.Call->replaceUsesOfWith(Free.Pointer, Held());
  }
  for (CallBase *Free : Gone)
    removeCall(*Free);
  if (Sure)
    Call->moveBefore(Before);
  else
    allocateOnce(*Call, *Holder);
}

// One after the other: each changes the loops.
bool FunctionPromote::promoteInLoops(const KeepOut &Rules) {
  bool Changed = false;
  for (;;) {
    LoopInfo &LI = FAM.getResult<LoopAnalysis>(F);
    if (LI.empty())
      return Changed;
    DominatorTree &DT = FAM.getResult<DominatorTreeAnalysis>(F);
    for (Loop *L : LI)
      Changed |= simplifyLoop(L, &DT, &LI, nullptr, &FAM.getResult<AssumptionAnalysis>(F), nullptr, false);
    Promotion P;
    auto Found = candidates(Rules);
    const auto *At = find_if(Found, [&](const AllocSite &Site) {
      P = Promotion();
      P.Site = Site;
      return !decideLoop(P);
    });
    if (At == Found.end())
      return Changed;
    remarkDone(ore(), PassName, "LoopBuffer", *At->Call, "allocated once for all rounds of the loop");
    Reasons.erase(At->Call);
    rewriteInLoop(P, DT);
    FAM.invalidate(F, PreservedAnalyses::none());
    Changed = true;
  }
}

//===-- The pass --===//

SmallVector<AllocSite, 8> FunctionPromote::candidates(const KeepOut &Rules) const {
  SmallVector<AllocSite, 8> Found;
  for (Instruction &I : instructions(F)) {
    auto *Call = dyn_cast<CallBase>(&I);
    std::optional<AllocSite> S = Call ? recognise(*Call, TLI) : std::nullopt;
    if (!S || S->frees() || S->Kind == SiteKind::PosixMemalign || Rules.fromSite(*S))
      continue;
    if (S->Kind == SiteKind::Realloc && !isa<ConstantPointerNull>(S->Pointer))
      continue;
    Found.push_back(*S);
  }
  return Found;
}

bool FunctionPromote::run(const KeepOut &Rules) {
  SmallVector<AllocSite, 8> Sites = candidates(Rules);
  bool Changed = false;
  if (Opts.Stack)
    Changed |= promoteToStack(Sites);
  if (Opts.Loops)
    Changed |= promoteInLoops(Rules);
  for (const AllocSite &Site : candidates(Rules))
    if (const char *Why = Reasons.lookup(Site.Call))
      remarkMissed(ore(), PassName, "OnHeap", *Site.Call, Twine("stays on the heap: ") + Why);
  return Changed;
}

// What the moved blocks leave to fold: null checks, copies, whole objects that fit registers.
static void tidy(Function &F, FunctionAnalysisManager &FAM) {
  FunctionPassManager FPM;
  FPM.addPass(SROAPass(SROAOptions::ModifyCFG));
  FPM.addPass(EarlyCSEPass(/*UseMemorySSA=*/true));
  FPM.addPass(InstCombinePass());
  FPM.addPass(SimplifyCFGPass());
  FAM.invalidate(F, PreservedAnalyses::none());
  PreservedAnalyses PA = FPM.run(F, FAM);
  FAM.invalidate(F, PA);
}

PreservedAnalyses PromotePass::run(Module &M, ModuleAnalysisManager &MAM) {
  KeepOut Rules(M);
  if (Rules.fromModule())
    return PreservedAnalyses::all();
  FunctionAnalysisManager &FAM = MAM.getResult<FunctionAnalysisManagerModuleProxy>(M).getManager();
  auto TLI = [&](Function &F) -> const TargetLibraryInfo & { return FAM.getResult<TargetLibraryAnalysis>(F); };
  Escapes Private(TLI);
  RecursionInfo Recursive(M, TLI);
  bool Changed = false;
  for (Function &F : M) {
    if (F.isDeclaration() || F.hasAvailableExternallyLinkage() || KeepOut::fromFunction(F))
      continue;
    const TargetLibraryInfo &Lib = TLI(F);
    bool Allocates = any_of(instructions(F), [&](Instruction &I) {
      auto *Call = dyn_cast<CallBase>(&I);
      return Call && recognise(*Call, Lib);
    });
    if (!Allocates || !FunctionPromote(F, FAM, Opts, Private, Recursive).run(Rules))
      continue;
    tidy(F, FAM);
    Changed = true;
  }
  return Changed ? PreservedAnalyses::none() : PreservedAnalyses::all();
}

static std::array<Param, 5> paramsOf(PromoteOptions &O) {
  return {{{"max-bytes", &O.MaxBytes, nullptr, 1u << 16},
           {"max-frame", &O.MaxFrame, nullptr, 1u << 20},
           {"max-unknown", &O.MaxUnknown, nullptr, 1u << 20},
           {"stack", nullptr, &O.Stack, 0},
           {"loops", nullptr, &O.Loops, 0}}};
}

Expected<PromoteOptions> PromoteOptions::parse(StringRef Params) {
  PromoteOptions Opts;
  if (Error E = parseParams(PassName, Params, paramsOf(Opts)))
    return std::move(E);
  return Opts;
}

void PromotePass::printPipeline(raw_ostream &OS, function_ref<StringRef(StringRef)> MapName) {
  OS << MapName(name());
  printParams(OS, paramsOf(Opts));
}

} // namespace ng
