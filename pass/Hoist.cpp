// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// For each loop: which allocations happen in every round, or nearly, there and in what is called (collect), how often
// the loop goes round (tripCount), where the request is worth its place (placeFor), then the requests (emit).  For each
// function: what is left of its allocations (requestAtEntry).  Only emit and requestAtEntry change IR.

#include "Hoist.h"
#include "Abi.h"
#include "AllocSites.h"
#include "FastPath.h"
#include "Params.h"
#include "Remarks.h"
#include "Summary.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/Analysis/AssumptionCache.h"
#include "llvm/Analysis/BlockFrequencyInfo.h"
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
  FunctionHoist(Function &F, FunctionAnalysisManager &FAM, const HoistOptions &Opts, Summaries &Called)
      : F(F), Opts(Opts), Called(Called), BFI(FAM.getResult<BlockFrequencyAnalysis>(F)),
        LI(FAM.getResult<LoopAnalysis>(F)), DT(FAM.getResult<DominatorTreeAnalysis>(F)),
        SE(FAM.getResult<ScalarEvolutionAnalysis>(F)), TTI(FAM.getResult<TargetIRAnalysis>(F)),
        TLI(FAM.getResult<TargetLibraryAnalysis>(F)), ORE(FAM.getResult<OptimizationRemarkEmitterAnalysis>(F)),
        AC(FAM.getResult<AssumptionAnalysis>(F)), Expander(SE, F.getParent()->getDataLayout(), "ngrt") {}

  bool run(const KeepOut &Rules);

private:
  SmallMapVector<uint32_t, Group, 4> collect(Loop &L, const KeepOut &Rules) const;
  void collectCalled(Loop &L, CallBase &Call, SmallMapVector<uint32_t, Group, 4> &Groups) const;
  bool isLikely(const BasicBlock &BB, const Loop &L) const;
  bool requestAtEntry();
  bool freedWithin(const Loop &L, const CallBase &Block) const;
  bool hasFree(const Loop &L) const;
  bool isUnlikelyExit(const BasicBlock &From, const BasicBlock &To) const;
  const SCEV *tripCount(Loop &L) const;
  const char *placeFor(Loop &L, Request &R) const;
  bool canExpand(const SCEV *S, Loop &L);
  void emit(const Request &R);

  Function &F;
  const HoistOptions &Opts;
  Summaries &Called;
  BlockFrequencyInfo &BFI;
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

// Whether anything in L frees, as far as can be seen.
bool FunctionHoist::hasFree(const Loop &L) const {
  return any_of(L.blocks(), [&](BasicBlock *BB) {
    return any_of(*BB, [&](Instruction &I) {
      auto *Call = dyn_cast<CallBase>(&I);
      if (!Call)
        return false;
      if (std::optional<AllocSite> S = recognise(*Call, TLI))
        return S->frees();
      Function *Callee = Summaries::calleeOf(*Call);
      return Callee && Called.of(*Callee).Frees;
    });
  });
}

bool FunctionHoist::isLikely(const BasicBlock &BB, const Loop &L) const {
  if (DT.dominates(&BB, L.getLoopLatch()))
    return true;
  double Rounds = double(BFI.getBlockFreq(L.getHeader()).getFrequency());
  return double(BFI.getBlockFreq(&BB).getFrequency()) * 100 >= Rounds * Opts.Likely;
}

// What a call in L allocates each time, unless the round frees some of it again.
void FunctionHoist::collectCalled(Loop &L, CallBase &Call, SmallMapVector<uint32_t, Group, 4> &Groups) const {
  Function *Callee = Opts.Calls && !Call.hasFnAttr(RequestedAttr) ? Summaries::calleeOf(Call) : nullptr;
  if (!Callee || !Called.allocates(*Callee) || Called.of(*Callee).Blocks.empty())
    return;
  if (Called.of(*Callee).Frees || hasFree(L)) {
    remarkMissed(ORE, PassName, "NoRequest", Call, "no request: the round frees blocks, too");
    return;
  }
  for (auto [Class, Blocks] : Called.of(*Callee).Blocks) {
    Group &G = Groups[Class];
    G.Bytes = ngrt_class_size(Class);
    G.Blocks += Blocks;
    G.Calls.push_back(&Call);
  }
}

// The allocations of constant size that happen in every round of L itself, or nearly, by class.
SmallMapVector<uint32_t, Group, 4> FunctionHoist::collect(Loop &L, const KeepOut &Rules) const {
  SmallMapVector<uint32_t, Group, 4> Groups;
  for (BasicBlock *BB : L.blocks()) {
    if (LI.getLoopFor(BB) != &L || !isLikely(*BB, L))
      continue;
    for (Instruction &I : *BB) {
      auto *Call = dyn_cast<CallBase>(&I);
      std::optional<AllocSite> S = Call ? recognise(*Call, TLI) : std::nullopt;
      if (Call && !S)
        collectCalled(L, *Call, Groups);
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
  LLVMContext &Ctx = F.getContext();
  Value *Blocks = Expander.expandCodeFor(R.Blocks, Type::getInt64Ty(Ctx), At);
  IRBuilder<> B(At);
  B.SetCurrentDebugLocation(R.Of.Calls.front()->getDebugLoc());
  addRequest(B, ngrt_bin_of(R.Of.Bytes), Blocks);
  for (CallBase *Call : R.Of.Calls)
    Call->addFnAttr(Attribute::get(Ctx, RequestedAttr));
}

// What F and those that it calls allocate outside of loops, at once; where one of them has as much, that one asks.
bool FunctionHoist::requestAtEntry() {
  if (!Opts.Calls || F.hasFnAttribute(RequestedAttr))
    return false;
  const Summary &Own = Called.of(F);
  uint64_t MostCalled = 0;
  for (Instruction &I : instructions(F))
    if (auto *Call = dyn_cast<CallBase>(&I))
      if (Function *Callee = Summaries::calleeOf(*Call); Callee && Called.allocates(*Callee))
        for (auto [Class, Blocks] : Called.of(*Callee).Blocks)
          MostCalled = std::max(MostCalled, Blocks);
  bool Changed = false;
  for (auto [Class, Blocks] : Own.Blocks) {
    uint64_t Bytes = ngrt_class_size(Class);
    if (Own.Frees || Blocks < Opts.MinBlocks || MostCalled >= Opts.MinBlocks || Blocks * Bytes > Opts.MaxBytes)
      continue;
    IRBuilder<> B(&F.getEntryBlock(), F.getEntryBlock().getFirstNonPHIOrDbgOrAlloca());
    addRequest(B, ngrt_bin_of(Bytes), B.getInt64(Blocks));
    remarkDone(ORE, PassName, "Entry", F,
               "requested at the function's entry, class " + Twine(Class) + ", " + Twine(Blocks) + " blocks");
    Changed = true;
  }
  if (Changed)
    F.addFnAttr(RequestedAttr);
  return Changed;
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
  return requestAtEntry() || Changed;
}

PreservedAnalyses HoistPass::run(Module &M, ModuleAnalysisManager &MAM) {
  KeepOut Rules(M);
  if (Rules.fromModule() || !Opts.Enabled)
    return PreservedAnalyses::all();
  FunctionAnalysisManager &FAM = MAM.getResult<FunctionAnalysisManagerModuleProxy>(M).getManager();
  SmallVector<Function *, 8> Functions;
  for (Function &F : M)
    if (!F.isDeclaration() && !F.hasAvailableExternallyLinkage() && !F.hasOptSize() &&
        !F.hasFnAttribute(Attribute::Cold) && !KeepOut::fromFunction(F))
      Functions.push_back(&F);
  bool Changed = false;
  Summaries Called(FAM, Rules, Opts.Likely);
  for (Function *F : Functions) {
    // Loops cost analyses: only where there is something to ask for.
    if (!Called.allocates(*F) || !FunctionHoist(*F, FAM, Opts, Called).run(Rules))
      continue;
    FAM.invalidate(*F, PreservedAnalyses::none());
    Changed = true;
  }
  return Changed ? PreservedAnalyses::none() : PreservedAnalyses::all();
}

static std::array<Param, 5> paramsOf(HoistOptions &O) {
  return {{{"enabled", nullptr, &O.Enabled, 0},
           {"min-blocks", &O.MinBlocks, nullptr, 1u << 20},
           {"max-bytes", &O.MaxBytes, nullptr, 1u << 30},
           {"likely", &O.Likely, nullptr, 100},
           {"calls", nullptr, &O.Calls, 0}}};
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
