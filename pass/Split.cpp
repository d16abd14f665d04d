// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// For each allocation that may be large: where its size is known first (earliest), how far up from the allocation that
// may be asked (place), whether enough happens in between (hasWork). For each realloc in a loop: how large it ends
// (endOf).

#include "Split.h"
#include "Abi.h"
#include "AllocSites.h"
#include "FastPath.h"
#include "Params.h"
#include "Remarks.h"
#include "llvm/ADT/SmallPtrSet.h"
#include "llvm/Analysis/BlockFrequencyInfo.h"
#include "llvm/Analysis/LoopInfo.h"
#include "llvm/Analysis/ProfileSummaryInfo.h"
#include "llvm/Analysis/ScalarEvolution.h"
#include "llvm/Analysis/ScalarEvolutionExpressions.h"
#include "llvm/Analysis/TargetTransformInfo.h"
#include "llvm/Analysis/ValueTracking.h"
#include "llvm/IR/Dominators.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/Support/KnownBits.h"
#include "llvm/Transforms/Utils/ScalarEvolutionExpander.h"
#include <array>

using namespace llvm;

namespace ng {

static const char *const PassName = "nextgen-split";

// Set on an allocation that was asked for, so that the plugin given twice does not ask twice.
static constexpr StringLiteral SplitAttr = "ngrt-split";

// What the end of a growing buffer may cost to compute, in TargetTransformInfo's units.
static constexpr unsigned ExpansionBudget = 12;

namespace {

class FunctionSplit {
public:
  FunctionSplit(Function &F, FunctionAnalysisManager &FAM, const SplitOptions &Opts)
      : F(F), FAM(FAM), Opts(Opts), DT(FAM.getResult<DominatorTreeAnalysis>(F)), LI(FAM.getResult<LoopAnalysis>(F)),
        BFI(FAM.getResult<BlockFrequencyAnalysis>(F)) {}

  bool run(const KeepOut &Rules, ProfileSummaryInfo &PSI);

private:
  bool mayBeLarge(const AllocSite &S) const;
  Instruction *earliest(const AllocSite &S) const;
  Instruction *place(const AllocSite &S) const;
  bool hasWork(const Instruction &From, const Instruction &To) const;
  const char *split(const AllocSite &S);
  const char *grow(const AllocSite &S);
  const SCEV *endOf(const AllocSite &S, Loop &L, ScalarEvolution &SE) const;

  Function &F;
  FunctionAnalysisManager &FAM;
  const SplitOptions &Opts;
  DominatorTree &DT;
  LoopInfo &LI;
  BlockFrequencyInfo &BFI;
};

} // namespace

// What a size is made of, without conversions and what is added for a header.
static const Value *stem(const Value *V) {
  for (unsigned I = 0; I < 8; ++I) {
    if (const auto *Cast = dyn_cast<CastInst>(V))
      V = Cast->getOperand(0);
    else if (const auto *Add = dyn_cast<BinaryOperator>(V);
             Add && isa<ConstantInt>(Add->getOperand(1)) &&
             (Add->getOpcode() == Instruction::Add || Add->getOpcode() == Instruction::And ||
              Add->getOpcode() == Instruction::Or))
      V = Add->getOperand(0);
    else if (const auto *Select = dyn_cast<SelectInst>(V); Select && isa<Constant>(Select->getTrueValue()))
      V = Select->getFalseValue(); // new[] of too many
    else
      break;
  }
  return V;
}

// A variable size counts if it is a product, as of elements, or if the program also uses it as a bound or a length;
// that of a string does neither.
bool FunctionSplit::mayBeLarge(const AllocSite &S) const {
  if (std::optional<uint64_t> Bytes = S.constantBytes())
    return *Bytes >= Opts.MinBytes;
  if (S.Count || isa<ConstantInt>(S.Size))
    return true;
  if (KnownBits Known = computeKnownBits(S.Size, F.getParent()->getDataLayout());
      Known.getMaxValue().ult(Opts.MinBytes))
    return false;
  const Value *V = stem(S.Size);
  if (const auto *Op = dyn_cast<BinaryOperator>(V))
    return Op->getOpcode() == Instruction::Mul || Op->getOpcode() == Instruction::Shl;
  return any_of(V->users(), [&](const User *U) {
    const auto *Call = dyn_cast<CallBase>(U);
    return isa<ICmpInst>(U) || (Call && Call != S.Call);
  });
}

// The first place at which the size is known: behind what computes it, in the loop that the allocation is in.
Instruction *FunctionSplit::earliest(const AllocSite &S) const {
  Loop *L = LI.getLoopFor(S.Call->getParent());
  BasicBlock &Start = L ? *L->getHeader() : F.getEntryBlock();
  Instruction *At = &*Start.getFirstInsertionPt();
  while (isa<AllocaInst>(At))
    At = At->getNextNode();
  for (Value *V : {S.Size, S.Count}) {
    auto *Def = dyn_cast_or_null<Instruction>(V);
    if (!Def || DT.dominates(Def, At))
      continue;
    Instruction *Behind = Def->isTerminator() ? nullptr // an invoke's
                          : isa<PHINode>(Def) ? &*Def->getParent()->getFirstInsertionPt()
                                              : Def->getNextNode();
    if (!Behind)
      return nullptr;
    if (DT.dominates(At, Behind))
      At = Behind;
  }
  return At;
}

// As far up as the allocation is likely enough, and nowhere that is hotter than the allocation by more than that.
Instruction *FunctionSplit::place(const AllocSite &S) const {
  Instruction *First = earliest(S);
  BasicBlock *Here = S.Call->getParent();
  if (!First || (First != S.Call && !DT.dominates(First, S.Call)))
    return nullptr;
  uint64_t Own = BFI.getBlockFreq(Here).getFrequency();
  BasicBlock *Best = Here;
  for (BasicBlock *BB = Here;; BB = DT.getNode(BB)->getIDom()->getBlock()) {
    uint64_t There = BFI.getBlockFreq(BB).getFrequency();
    if (LI.getLoopFor(BB) == LI.getLoopFor(Here) && Own / 100.0 * 100 >= There / 100.0 * Opts.Likely)
      Best = BB;
    if (BB == First->getParent())
      break;
  }
  return Best == First->getParent() ? First : &*Best->getFirstInsertionPt();
}

// Whether the room gets time: a call, a loop, or many instructions on the way.
bool FunctionSplit::hasWork(const Instruction &From, const Instruction &To) const {
  SmallVector<const BasicBlock *, 16> Work{To.getParent()};
  SmallPtrSet<const BasicBlock *, 16> Seen;
  unsigned Count = 0;
  while (!Work.empty()) {
    const BasicBlock *BB = Work.pop_back_val();
    if (!Seen.insert(BB).second)
      continue;
    if (LI.getLoopDepth(BB) > LI.getLoopDepth(From.getParent()))
      return true;
    bool Begins = BB == From.getParent(), Ends = BB == To.getParent();
    for (const Instruction &I : *BB) {
      if ((Begins && I.comesBefore(&From)) || (Ends && !I.comesBefore(&To)))
        continue;
      Count += !I.isDebugOrPseudoInst();
      const auto *Call = dyn_cast<CallBase>(&I);
      if (Count >= Opts.MinWork || (Call && !isa<IntrinsicInst>(Call) && !Call->hasFnAttr(SplitAttr)))
        return true;
    }
    if (!Begins)
      Work.append(pred_begin(BB), pred_end(BB));
  }
  return false;
}

const char *FunctionSplit::split(const AllocSite &S) {
  Instruction *At = place(S);
  if (!At)
    return "its size is known only where it is allocated";
  if (!hasWork(*At, *S.Call))
    return "nothing happens between where its size is known and where it is allocated";
  IRBuilder<> B(At);
  B.SetCurrentDebugLocation(S.Call->getDebugLoc());
  Value *Bytes = B.CreateZExtOrTrunc(S.Size, B.getInt64Ty());
  if (S.Count)
    Bytes = B.CreateMul(Bytes, S.Count);
  addRequest(B, NGRT_BIN_LARGE, Bytes);
  return nullptr;
}

// The size at the last round of the loop, where it is counted up; null where it is not known before.
const SCEV *FunctionSplit::endOf(const AllocSite &S, Loop &L, ScalarEvolution &SE) const {
  const SCEV *Trips = SE.getBackedgeTakenCount(&L);
  const auto *Size = dyn_cast<SCEVAddRecExpr>(SE.getSCEV(S.Size));
  if (!Size || Size->getLoop() != &L || isa<SCEVCouldNotCompute>(Trips))
    return nullptr;
  const SCEV *End = Size->evaluateAtIteration(SE.getTruncateOrZeroExtend(Trips, Size->getType()), SE);
  return SE.isLoopInvariant(End, &L) ? End : nullptr;
}

const char *FunctionSplit::grow(const AllocSite &S) {
  Loop *L = LI.getLoopFor(S.Call->getParent());
  if (!L || !L->getLoopPreheader())
    return "realloc is in no loop of which it could be said how it ends";
  auto &SE = FAM.getResult<ScalarEvolutionAnalysis>(F);
  const SCEV *End = endOf(S, *L, SE);
  if (!End)
    return "how large it ends is not known before the loop";
  Instruction *At = L->getLoopPreheader()->getTerminator();
  SCEVExpander Expander(SE, F.getParent()->getDataLayout(), "ngrt");
  auto &TTI = FAM.getResult<TargetIRAnalysis>(F);
  if (!Expander.isSafeToExpandAt(End, At) || Expander.isHighCostExpansion(End, L, ExpansionBudget, &TTI, At))
    return "how large it ends is too costly to compute before the loop";
  Value *Bytes = Expander.expandCodeFor(End, Type::getInt64Ty(F.getContext()), At);
  IRBuilder<> B(At);
  B.SetCurrentDebugLocation(S.Call->getDebugLoc());
  addRequest(B, NGRT_BIN_GROWS, Bytes);
  return nullptr;
}

bool FunctionSplit::run(const KeepOut &Rules, ProfileSummaryInfo &PSI) {
  const TargetLibraryInfo &TLI = FAM.getResult<TargetLibraryAnalysis>(F);
  auto &ORE = FAM.getResult<OptimizationRemarkEmitterAnalysis>(F);
  SmallVector<AllocSite, 8> Sites;
  for (Instruction &I : instructions(F))
    if (auto *Call = dyn_cast<CallBase>(&I))
      if (std::optional<AllocSite> S = recognise(*Call, TLI); S && !S->frees() && S->Kind != SiteKind::PosixMemalign &&
                                                              !Rules.fromSite(*S) && !Call->hasFnAttr(SplitAttr) &&
                                                              !PSI.isColdBlock(Call->getParent(), &BFI))
        Sites.push_back(*S);
  bool Changed = false;
  for (const AllocSite &S : Sites) {
    bool Grows = S.Kind == SiteKind::Realloc && !isa<ConstantPointerNull>(S.Pointer);
    if (Grows ? !Opts.Grow || isa<ConstantInt>(S.Size) : !mayBeLarge(S))
      continue;
    if (const char *Why = Grows ? grow(S) : split(S)) {
      remarkMissed(ORE, PassName, "NotSplit", *S.Call, Twine("no request ahead: ") + Why);
      continue;
    }
    remarkDone(ORE, PassName, Grows ? "Grow" : "Split", *S.Call,
               Grows ? "requested before the loop, as large as it ends" : "requested where its size is known");
    S.Call->addFnAttr(Attribute::get(F.getContext(), SplitAttr));
    Changed = true;
  }
  return Changed;
}

PreservedAnalyses SplitPass::run(Module &M, ModuleAnalysisManager &MAM) {
  KeepOut Rules(M);
  if (Rules.fromModule() || !Opts.Enabled)
    return PreservedAnalyses::all();
  FunctionAnalysisManager &FAM = MAM.getResult<FunctionAnalysisManagerModuleProxy>(M).getManager();
  ProfileSummaryInfo &PSI = MAM.getResult<ProfileSummaryAnalysis>(M);
  bool Changed = false;
  for (Function &F : M) {
    if (F.isDeclaration() || F.hasAvailableExternallyLinkage() || F.hasOptSize() || F.hasFnAttribute(Attribute::Cold) ||
        KeepOut::fromFunction(F))
      continue;
    const TargetLibraryInfo &TLI = FAM.getResult<TargetLibraryAnalysis>(F);
    bool Allocates = any_of(instructions(F), [&](Instruction &I) {
      auto *Call = dyn_cast<CallBase>(&I);
      std::optional<AllocSite> S = Call ? recognise(*Call, TLI) : std::nullopt;
      std::optional<uint64_t> Bytes = S && !S->frees() ? S->constantBytes() : std::optional<uint64_t>(0);
      return !Bytes || *Bytes >= Opts.MinBytes;
    });
    if (!Allocates || !FunctionSplit(F, FAM, Opts).run(Rules, PSI))
      continue;
    FAM.invalidate(F, PreservedAnalyses::none());
    Changed = true;
  }
  return Changed ? PreservedAnalyses::none() : PreservedAnalyses::all();
}

static std::array<Param, 5> paramsOf(SplitOptions &O) {
  return {{{"enabled", nullptr, &O.Enabled, 0},
           {"min-bytes", &O.MinBytes, nullptr, 1u << 30},
           {"likely", &O.Likely, nullptr, 100},
           {"min-work", &O.MinWork, nullptr, 1u << 20},
           {"grow", nullptr, &O.Grow, 0}}};
}

Expected<SplitOptions> SplitOptions::parse(StringRef Params) {
  SplitOptions Opts;
  if (Error E = parseParams(PassName, Params, paramsOf(Opts)))
    return std::move(E);
  return Opts;
}

void SplitPass::printPipeline(raw_ostream &OS, function_ref<StringRef(StringRef)> MapName) {
  OS << MapName(name());
  printParams(OS, paramsOf(Opts));
}

} // namespace ng
