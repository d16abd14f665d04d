// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// From each allocation of constant class on, the way that the program surely takes where no allocation fails: what it
// allocates of the same class on that way can be taken together (walk). Blocks that were taken and not reached would be
// lost, so the way ends at whatever may leave it: a call that may throw, longjmp, exit or never return.

#include "Batch.h"
#include "Abi.h"
#include "AllocSites.h"
#include "Fetch.h"
#include "Params.h"
#include "Remarks.h"
#include "llvm/ADT/SmallPtrSet.h"
#include "llvm/Analysis/ValueTracking.h"
#include "llvm/IR/Constants.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/Instructions.h"
#include <array>

using namespace llvm;

namespace ng {

static const char *const PassName = "nextgen-batch";

// "number:index:count"; what batchMark reads.
static constexpr StringLiteral MarkAttr = "ngrt-batch";

// Instructions that one walk looks at: blocks that are long in coming would only hold registers.
static constexpr unsigned MostSteps = 64;

std::optional<BatchMark> batchMark(const CallBase &Call) {
  SmallVector<StringRef, 3> Parts;
  Call.getFnAttr(MarkAttr).getValueAsString().split(Parts, ':');
  BatchMark M;
  if (Parts.size() != 3 || Parts[0].getAsInteger(10, M.Number) || Parts[1].getAsInteger(10, M.Index) ||
      Parts[2].getAsInteger(10, M.Count))
    return std::nullopt;
  return M;
}

// The class of a call whose block can come from a batch.
static std::optional<uint32_t> classOf(const AllocSite &S) {
  switch (S.Kind) {
  case SiteKind::Malloc:
  case SiteKind::New:
  case SiteKind::NewArray:
  case SiteKind::OtherNew:
  case SiteKind::Aligned:
    break;
  default:
    return std::nullopt;
  }
  std::optional<uint64_t> Bytes = S.constantBytes();
  if (!Bytes || !ngrt_is_small(*Bytes))
    return std::nullopt;
  return ngrt_class_of(*Bytes);
}

// Where the program goes on behind BB if none of Members fails; null where that is not sure.
static const BasicBlock *onwards(const BasicBlock &BB, ArrayRef<CallBase *> Members) {
  const Instruction *End = BB.getTerminator();
  const BasicBlock *Next = BB.getUniqueSuccessor();
  if (const auto *Invoke = dyn_cast<InvokeInst>(End)) {
    Next = is_contained(Members, Invoke) ? Invoke->getNormalDest() : nullptr;
  } else if (const auto *Br = dyn_cast<BranchInst>(End); Br && Br->isConditional()) {
    const auto *Check = dyn_cast<ICmpInst>(Br->getCondition());
    bool OfMember = Check && Check->isEquality() && isa<ConstantPointerNull>(Check->getOperand(1)) &&
                    is_contained(Members, Check->getOperand(0));
    Next = OfMember ? Br->getSuccessor(Check->getPredicate() == ICmpInst::ICMP_EQ ? 1 : 0) : nullptr;
  }
  // One way in: what was taken before is at hand in each of its uses.
  return Next && Next->getSinglePredecessor() == &BB ? Next : nullptr;
}

// First and the allocations behind it that can come with it.
static SmallVector<CallBase *, 8> walk(CallBase &First, uint32_t Class, const TargetLibraryInfo &TLI, unsigned Most) {
  SmallVector<CallBase *, 8> Members{&First};
  const BasicBlock *BB = First.getParent();
  BasicBlock::const_iterator At = std::next(First.getIterator());
  for (unsigned Steps = 0; Steps < MostSteps && Members.size() < Most; ++Steps) {
    if (At == BB->end() || At->isTerminator()) {
      if (At != BB->end() && isa<InvokeInst>(*At) && !is_contained(Members, &*At)) {
        auto *Invoke = const_cast<InvokeInst *>(cast<InvokeInst>(&*At));
        std::optional<AllocSite> S = recognise(*Invoke, TLI);
        if (!S || classOf(*S) != Class)
          return Members;
        Members.push_back(Invoke);
      }
      BB = onwards(*BB, Members);
      if (!BB || BB == First.getParent())
        return Members;
      At = BB->begin();
      continue;
    }
    auto *Call = const_cast<CallBase *>(dyn_cast<CallBase>(&*At));
    std::optional<AllocSite> S = Call ? recognise(*Call, TLI) : std::nullopt;
    if (S && !S->frees() && classOf(*S) == Class)
      Members.push_back(Call);
    else if (!isGuaranteedToTransferExecutionToSuccessor(&*At))
      return Members;
    ++At;
  }
  return Members;
}

static bool batchFunction(Function &F, FunctionAnalysisManager &FAM, const KeepOut &Rules, const BatchOptions &Opts) {
  const TargetLibraryInfo &TLI = FAM.getResult<TargetLibraryAnalysis>(F);
  SmallPtrSet<const CallBase *, 16> Taken;
  unsigned Number = 0;
  for (Instruction &I : instructions(F)) {
    auto *Call = dyn_cast<CallBase>(&I);
    std::optional<AllocSite> S = Call ? recognise(*Call, TLI) : std::nullopt;
    std::optional<uint32_t> Class = S && !S->frees() && !Rules.fromSite(*S) ? classOf(*S) : std::nullopt;
    if (!Class || Taken.count(Call))
      continue;
    SmallVector<CallBase *, 8> Members = walk(*Call, *Class, TLI, Opts.MaxBlocks);
    Taken.insert(Members.begin(), Members.end());
    if (Members.size() < 2)
      continue;
    for (unsigned Index = 0; Index < Members.size(); ++Index)
      Members[Index]->addFnAttr(Attribute::get(
          F.getContext(), MarkAttr, (Twine(Number) + ":" + Twine(Index) + ":" + Twine(Members.size())).str()));
    ++Number;
    remarkDone(FAM.getResult<OptimizationRemarkEmitterAnalysis>(F), PassName, "Batch", *Call,
               "one check for this and the next " + Twine(Members.size() - 1) + " of class " + Twine(*Class));
  }
  return Number != 0;
}

PreservedAnalyses BatchPass::run(Module &M, ModuleAnalysisManager &MAM) {
  KeepOut Rules(M);
  if (Rules.fromModule())
    return PreservedAnalyses::all();
  bool Fetched = false;
  FunctionAnalysisManager &FAM = MAM.getResult<FunctionAnalysisManagerModuleProxy>(M).getManager();
  for (Function &F : M)
    if (!F.isDeclaration() && !F.hasAvailableExternallyLinkage() && !F.hasOptSize() &&
        !F.hasFnAttribute(Attribute::Cold) && !KeepOut::fromFunction(F)) {
      if (Opts.MaxBlocks >= 2)
        batchFunction(F, FAM, Rules, Opts); // marks calls, which no analysis looks at
      Fetched |= fetchAhead(F, FAM, Rules, Opts.Ahead, Opts.Trees);
    }
  return Fetched ? PreservedAnalyses::none() : PreservedAnalyses::all();
}

static std::array<Param, 3> paramsOf(BatchOptions &O) {
  return {{{"max-blocks", &O.MaxBlocks, nullptr, 32}, {"ahead", &O.Ahead, nullptr, 64}, {"trees", nullptr, &O.Trees}}};
}

Expected<BatchOptions> BatchOptions::parse(StringRef Params) {
  BatchOptions Opts;
  if (Error E = parseParams(PassName, Params, paramsOf(Opts)))
    return std::move(E);
  return Opts;
}

void BatchPass::printPipeline(raw_ostream &OS, function_ref<StringRef(StringRef)> MapName) {
  OS << MapName(name());
  printParams(OS, paramsOf(Opts));
}

} // namespace ng
