// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Summary.h"
#include "Abi.h"
#include "llvm/Analysis/BlockFrequencyInfo.h"
#include "llvm/Analysis/LoopInfo.h"
#include "llvm/Analysis/ValueTracking.h"
#include "llvm/IR/InstIterator.h"

using namespace llvm;

namespace ng {

// A summary counts no further: a caller asks for so many of a class at most, and each loop for its own anyway.
static constexpr uint64_t MostBlocks = 1u << 16;

bool isFreedIn(const Function &F, const CallBase &Block, const TargetLibraryInfo &TLI) {
  return any_of(instructions(F), [&](const Instruction &I) {
    auto *Call = dyn_cast<CallBase>(&I);
    std::optional<AllocSite> S = Call ? recognise(const_cast<CallBase &>(*Call), TLI) : std::nullopt;
    return S && S->frees() && getUnderlyingObject(S->Pointer) == &Block;
  });
}

Function *Summaries::calleeOf(const CallBase &Call) {
  Function *Callee = Call.getCalledFunction();
  // What may be replaced at link time (weak, linkonce) is the same by the one definition rule, and a request binds
  // nobody.
  return Callee && !Callee->isDeclaration() && !Callee->isInterposable() ? Callee : nullptr;
}

bool Summaries::allocates(Function &F) {
  auto [At, IsNew] = Allocating.try_emplace(&F, false);
  if (!IsNew)
    return At->second;
  const TargetLibraryInfo &TLI = FAM.getResult<TargetLibraryAnalysis>(F);
  bool Does = any_of(instructions(F), [&](Instruction &I) {
    auto *Call = dyn_cast<CallBase>(&I);
    if (!Call)
      return false;
    if (std::optional<AllocSite> S = recognise(*Call, TLI))
      return !S->frees() && S->constantBytes().has_value();
    Function *Callee = calleeOf(*Call);
    return Callee && allocates(*Callee);
  });
  return Allocating[&F] = Does;
}

void Summaries::add(Function &F, Summary &S) {
  const TargetLibraryInfo &TLI = FAM.getResult<TargetLibraryAnalysis>(F);
  const LoopInfo &LI = FAM.getResult<LoopAnalysis>(F);
  const BlockFrequencyInfo &BFI = FAM.getResult<BlockFrequencyAnalysis>(F);
  double Entry = double(BFI.getBlockFreq(&F.getEntryBlock()).getFrequency());
  for (BasicBlock &BB : F) {
    bool Counts = !LI.getLoopFor(&BB) && double(BFI.getBlockFreq(&BB).getFrequency()) * 100 >= Entry * Likely;
    for (Instruction &I : BB) {
      auto *Call = dyn_cast<CallBase>(&I);
      if (!Call)
        continue;
      if (std::optional<AllocSite> Site = recognise(*Call, TLI)) {
        std::optional<uint64_t> Bytes = Site->constantBytes();
        S.Frees |= Site->frees() || Site->Kind == SiteKind::Realloc;
        if (Counts && !Site->frees() && Site->Kind != SiteKind::Realloc && Bytes && ngrt_is_small(*Bytes) &&
            !Rules.fromSite(*Site) && !isFreedIn(F, *Call, TLI))
          S.Blocks[ngrt_class_of(*Bytes)] += 1;
      } else if (Function *Callee = calleeOf(*Call); Callee && allocates(*Callee)) {
        const Summary &Inner = of(*Callee);
        S.Frees |= Inner.Frees;
        if (Counts)
          for (auto [Class, Blocks] : Inner.Blocks)
            S.Blocks[Class] = std::min(S.Blocks[Class] + Blocks, MostBlocks);
      }
    }
  }
}

const Summary &Summaries::of(Function &F) {
  std::unique_ptr<Summary> &At = Known[&F];
  if (At)
    return *At;
  At = std::make_unique<Summary>();
  Summary S;
  if (!KeepOut::fromFunction(F))
    add(F, S);
  return *(Known[&F] = std::make_unique<Summary>(std::move(S)));
}

} // namespace ng
