// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// For each loop: which allocations happen in every round (collect), how often the loop goes round (tripCount), where
// the request is worth its place (placeFor), then the requests (emit).  Only emit changes IR.

#include "Hoist.h"
#include "Abi.h"
#include "AllocSites.h"
#include "FastPath.h"
#include "Params.h"
#include "Remarks.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/Analysis/AssumptionCache.h"
#include "llvm/Analysis/LoopInfo.h"
#include "llvm/Analysis/ScalarEvolution.h"
#include "llvm/Analysis/ScalarEvolutionExpressions.h"
#include "llvm/Analysis/TargetTransformInfo.h"
#include "llvm/Analysis/ValueTracking.h"
#include "llvm/IR/Dominators.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/Instructions.h"
#include "llvm/IR/PatternMatch.h"
#include "llvm/Transforms/Utils/LoopSimplify.h"
#include "llvm/Transforms/Utils/LoopUtils.h"
#include "llvm/Transforms/Utils/ScalarEvolutionExpander.h"
#include <array>

using namespace llvm;

namespace ng {

static const char *const PassName = "nextgen-hoist";

// Set on an allocation that a request speaks for, so that the plugin given twice does not ask twice.
static constexpr StringLiteral RequestedAttr = "ngrt-requested";

// What a request may cost in the preheader beside its own compare, in TargetTransformInfo's units.
static constexpr unsigned ExpansionBudget = 12;

namespace {

// The allocations of one class in one loop: Blocks in each round.
struct Group {
  uint64_t Bytes = 0; // of one block
  uint64_t Blocks = 0;
  SmallVector<CallBase *, 4> Calls;
};

// A request that is to be made: Blocks (a SCEV of i64, invariant in At) blocks of the group's class before loop At.
struct Request {
  Group Of;
  Loop *At = nullptr;
  const SCEV *Blocks = nullptr;
};

class FunctionHoist {
public:
  FunctionHoist(Function &F, FunctionAnalysisManager &FAM, const HoistOptions &Opts)
      : F(F), Opts(Opts), LI(FAM.getResult<LoopAnalysis>(F)), DT(FAM.getResult<DominatorTreeAnalysis>(F)),
        SE(FAM.getResult<ScalarEvolutionAnalysis>(F)), TTI(FAM.getResult<TargetIRAnalysis>(F)),
        TLI(FAM.getResult<TargetLibraryAnalysis>(F)), ORE(FAM.getResult<OptimizationRemarkEmitterAnalysis>(F)),
        AC(FAM.getResult<AssumptionAnalysis>(F)), Expander(SE, F.getDataLayout(), "ngrt") {}

  bool run(const KeepOut &Rules);

private:
  SmallMapVector<uint32_t, Group, 4> collect(Loop &L, const KeepOut &Rules) const;
  bool freedWithin(const Loop &L, const CallBase &Block) const;
  bool hasFree(const Loop &L) const;
  bool isUnlikelyExit(const BasicBlock &From, const BasicBlock &To) const;
  const SCEV *tripCount(Loop &L) const;
  const char *placeFor(Loop &L, Request &R) const;
  bool canExpand(const SCEV *S, Loop &L);
  void emit(const Request &R);

  Function &F;
  const HoistOptions &Opts;
  LoopInfo &LI;
  DominatorTree &DT;
  ScalarEvolution &SE;
  TargetTransformInfo &TTI;
  const TargetLibraryInfo &TLI;
  OptimizationRemarkEmitter &ORE;
  AssumptionCache &AC;
  SCEVExpander Expander;
};

} // namespace

// Whether a call in L frees the block again: then one block goes round, and none need be asked for.
bool FunctionHoist::freedWithin(const Loop &L, const CallBase &Block) const {
  for (BasicBlock *BB : L.blocks())
    for (Instruction &I : *BB)
      if (auto *Call = dyn_cast<CallBase>(&I))
        if (std::optional<AllocSite> S = recognise(*Call, TLI); S && S->frees())
          if (getUnderlyingObject(S->Pointer) == &Block)
            return true;
  return false;
}

bool FunctionHoist::hasFree(const Loop &L) const {
  return any_of(L.blocks(), [&](BasicBlock *BB) {
    return any_of(*BB, [&](Instruction &I) {
      auto *Call = dyn_cast<CallBase>(&I);
      std::optional<AllocSite> S = Call ? recognise(*Call, TLI) : std::nullopt;
      return S && S->frees();
    });
  });
}

// The allocations of constant size that happen in every round of L itself, by class.
SmallMapVector<uint32_t, Group, 4> FunctionHoist::collect(Loop &L, const KeepOut &Rules) const {
  SmallMapVector<uint32_t, Group, 4> Groups;
  for (BasicBlock *BB : L.blocks()) {
    if (LI.getLoopFor(BB) != &L || !DT.dominates(BB, L.getLoopLatch()))
      continue;
    for (Instruction &I : *BB) {
      auto *Call = dyn_cast<CallBase>(&I);
      std::optional<AllocSite> S = Call ? recognise(*Call, TLI) : std::nullopt;
      if (!S || S->frees() || S->Kind == SiteKind::Realloc || Call->hasFnAttr(RequestedAttr) || Rules.fromSite(*S))
        continue;
      std::optional<uint64_t> Bytes = S->constantBytes();
      if (!Bytes || !ngrt_is_small(*Bytes))
        continue;
      if (freedWithin(L, *Call)) {
        remarkMissed(ORE, PassName, "NoRequest", *Call, "no request: the round that allocates it frees it");
        continue;
      }
      uint32_t Class = ngrt_class_of(*Bytes);
      Group &G = Groups[Class];
      G.Bytes = ngrt_class_size(Class);
      ++G.Blocks;
      G.Calls.push_back(Call);
    }
  }
  return Groups;
}

// An exit that a request may ignore: an exception, the end of the program, or an allocation that failed.
bool FunctionHoist::isUnlikelyExit(const BasicBlock &From, const BasicBlock &To) const {
  if (To.isEHPad() || isa<UnreachableInst>(To.getTerminator()))
    return true;
  const auto *Br = dyn_cast<BranchInst>(From.getTerminator());
  if (!Br || !Br->isConditional())
    return false;
  using namespace PatternMatch;
  Value *V;
  ICmpInst::Predicate Pred;
  if (!match(Br->getCondition(), m_ICmp(Pred, m_Value(V), m_Zero())) || !ICmpInst::isEquality(Pred))
    return false;
  bool ExitsOnNull = (Pred == ICmpInst::ICMP_EQ) == (Br->getSuccessor(0) == &To);
  auto *Call = dyn_cast<CallBase>(V);
  return ExitsOnNull && Call && recognise(*Call, TLI);
}

// How often L goes round, as an i64 that may be taken at its preheader; null where nothing is known.
const SCEV *FunctionHoist::tripCount(Loop &L) const {
  SmallVector<Loop::Edge, 4> Exits;
  L.getExitEdges(Exits);
  SmallVector<const SCEV *, 2> Counts;
  Type *I64 = Type::getInt64Ty(F.getContext());
  bool Known = true; // every exit is counted or unlikely
  for (auto [From, To] : Exits) {
    const SCEV *Count = SE.getExitCount(&L, From);
    if (!isa<SCEVCouldNotCompute>(Count) && SE.getTypeSizeInBits(Count->getType()) <= 64)
      Counts.push_back(SE.getNoopOrZeroExtend(Count, I64));
    else
      Known &= isUnlikelyExit(*From, *To);
  }
  if (!Known || Counts.empty()) {
    // A profile knows how often on average.
    if (F.hasProfileData())
      if (std::optional<unsigned> N = getLoopEstimatedTripCount(&L))
        return SE.getConstant(I64, *N);
    return nullptr;
  }
  const SCEV *Least = Counts.size() == 1 ? Counts.front() : SE.getUMinFromMismatchedTypes(Counts);
  // Taken backwards once less; UINT64_MAX rounds would wrap to 0, which asks for nothing.
  return SE.getAddExpr(Least, SE.getOne(I64));
}

// Fills in where R is made and for how many blocks.  A short loop of constant count asks one loop further out, as long
// as that loop runs it in every round and frees nothing.
const char *FunctionHoist::placeFor(Loop &L, Request &R) const {
  const SCEV *Trips = tripCount(L);
  if (!Trips)
    return "how often the loop goes round is not known before it";
  Type *I64 = Trips->getType();
  // At most so many rounds at once, so that no product overflows.
  auto Capped = [&](const SCEV *Rounds, uint64_t BlocksEach) {
    uint64_t Most = std::max<uint64_t>(Opts.MaxBytes / R.Of.Bytes / BlocksEach, 1);
    return SE.getUMinExpr(Rounds, SE.getConstant(I64, Most));
  };
  R.At = &L;
  R.Blocks = SE.getMulExpr(Capped(Trips, R.Of.Blocks), SE.getConstant(I64, R.Of.Blocks));
  for (;;) {
    const auto *Known = dyn_cast<SCEVConstant>(R.Blocks);
    if (!Known || Known->getAPInt().uge(Opts.MinBlocks))
      return nullptr;
    Loop *Outer = R.At->getParentLoop();
    if (!Outer || !Outer->getLoopLatch() || !Outer->getLoopPreheader() || hasFree(*Outer) ||
        !DT.dominates(R.At->getHeader(), Outer->getLoopLatch()))
      return "too few blocks";
    const SCEV *OuterTrips = tripCount(*Outer);
    if (!OuterTrips)
      return "too few blocks";
    R.At = Outer;
    R.Blocks = SE.getMulExpr(Capped(OuterTrips, std::max<uint64_t>(Known->getAPInt().getZExtValue(), 1)), R.Blocks);
  }
}

bool FunctionHoist::canExpand(const SCEV *S, Loop &L) {
  Instruction *At = L.getLoopPreheader()->getTerminator();
  return SE.isLoopInvariant(S, &L) && Expander.isSafeToExpandAt(S, At) &&
         !Expander.isHighCostExpansion(S, &L, ExpansionBudget, &TTI, At);
}

void FunctionHoist::emit(const Request &R) {
  Instruction *At = R.At->getLoopPreheader()->getTerminator();
  Module &M = *F.getParent();
  LLVMContext &Ctx = M.getContext();
  Type *I32 = Type::getInt32Ty(Ctx), *I64 = Type::getInt64Ty(Ctx);
  Value *Blocks = Expander.expandCodeFor(R.Blocks, I64, At);
  FunctionCallee Hint = M.getOrInsertFunction(RequestHint, Type::getVoidTy(Ctx), I32, I64);
  // Touches nothing that the program can name, so that no other pass is hindered.
  auto *Decl = cast<Function>(Hint.getCallee());
  for (auto Kind :
       {Attribute::NoUnwind, Attribute::WillReturn, Attribute::NoFree, Attribute::NoSync, Attribute::NoCallback})
    Decl->addFnAttr(Kind);
  Decl->setMemoryEffects(MemoryEffects::inaccessibleMemOnly());

  IRBuilder<> B(At);
  B.SetCurrentDebugLocation(R.Of.Calls.front()->getDebugLoc());
  B.CreateCall(Hint, {ConstantInt::get(I32, ngrt_bin_of(R.Of.Bytes)), Blocks});
  for (CallBase *Call : R.Of.Calls)
    Call->addFnAttr(Attribute::get(Ctx, RequestedAttr));
}

bool FunctionHoist::run(const KeepOut &Rules) {
  bool Changed = false;
  // The simplification pipeline ends by taking out the preheaders that it does not need.
  for (Loop *L : LI)
    Changed |= simplifyLoop(L, &DT, &LI, &SE, &AC, nullptr, /*PreserveLCSSA=*/false);
  for (Loop *L : LI.getLoopsInPreorder()) {
    if (!L->getLoopLatch() || !L->getLoopPreheader())
      continue;
    for (auto &[Class, Of] : collect(*L, Rules)) {
      Request R;
      R.Of = Of;
      const char *Why = placeFor(*L, R);
      if (!Why && !canExpand(R.Blocks, *R.At))
        Why = "the count is too costly to compute before the loop";
      for (CallBase *Call : Of.Calls) {
        if (Why)
          remarkMissed(ORE, PassName, "NoRequest", *Call, Twine("no request: ") + Why);
        else
          remarkDone(ORE, PassName, "Request", *Call,
                     "requested before the loop, class " + Twine(Class) + ", " + Twine(Of.Blocks) + " each round");
      }
      if (Why)
        continue;
      emit(R);
      Changed = true;
    }
  }
  return Changed;
}

PreservedAnalyses HoistPass::run(Module &M, ModuleAnalysisManager &MAM) {
  KeepOut Rules(M);
  if (Rules.fromModule())
    return PreservedAnalyses::all();
  FunctionAnalysisManager &FAM = MAM.getResult<FunctionAnalysisManagerModuleProxy>(M).getManager();
  SmallVector<Function *, 8> Functions;
  for (Function &F : M)
    if (!F.isDeclaration() && !F.hasAvailableExternallyLinkage() && !F.hasOptSize() &&
        !F.hasFnAttribute(Attribute::Cold) && !KeepOut::fromFunction(F))
      Functions.push_back(&F);
  bool Changed = false;
  for (Function *F : Functions) {
    // Loops cost analyses: only where there is something to ask for.
    const TargetLibraryInfo &TLI = FAM.getResult<TargetLibraryAnalysis>(*F);
    bool Allocates = any_of(instructions(*F), [&](Instruction &I) {
      auto *Call = dyn_cast<CallBase>(&I);
      return Call && recognise(*Call, TLI);
    });
    if (!Allocates || !FunctionHoist(*F, FAM, Opts).run(Rules))
      continue;
    FAM.invalidate(*F, PreservedAnalyses::none());
    Changed = true;
  }
  return Changed ? PreservedAnalyses::none() : PreservedAnalyses::all();
}

static std::array<Param, 2> paramsOf(HoistOptions &O) {
  return {{{"min-blocks", &O.MinBlocks, nullptr, 1u << 20}, {"max-bytes", &O.MaxBytes, nullptr, 1u << 30}}};
}

Expected<HoistOptions> HoistOptions::parse(StringRef Params) {
  HoistOptions Opts;
  if (Error E = parseParams(PassName, Params, paramsOf(Opts)))
    return std::move(E);
  return Opts;
}

void HoistPass::printPipeline(raw_ostream &OS, function_ref<StringRef(StringRef)> MapName) {
  OS << MapName(name());
  printParams(OS, paramsOf(Opts));
}

} // namespace ng
