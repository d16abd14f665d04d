// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Remarks.h"
#include "llvm/IR/DiagnosticInfo.h"
#include "llvm/IR/Function.h"

using namespace llvm;

namespace ng {

template <typename Remark>
static void emit(OptimizationRemarkEmitter &ORE, const char *Pass, StringRef Name, const CallBase &Call,
                 const Twine &Text) {
  // The lambda runs only where somebody listens.
  ORE.emit(
      [&] { return Remark(Pass, Name, &Call) << ore::NV("Callee", Call.getCalledFunction()) << ": " << Text.str(); });
}

void remarkDone(OptimizationRemarkEmitter &ORE, const char *Pass, StringRef Name, const CallBase &Call,
                const Twine &What) {
  emit<OptimizationRemark>(ORE, Pass, Name, Call, What);
}

void remarkDone(OptimizationRemarkEmitter &ORE, const char *Pass, StringRef Name, const Function &F,
                const Twine &What) {
  ORE.emit([&] {
    return OptimizationRemark(Pass, Name, DiagnosticLocation(F.getSubprogram()), &F.getEntryBlock())
           << ore::NV("Function", &F) << ": " << What.str();
  });
}

void remarkMissed(OptimizationRemarkEmitter &ORE, const char *Pass, StringRef Name, const CallBase &Call,
                  const Twine &Why) {
  emit<OptimizationRemarkMissed>(ORE, Pass, Name, Call, Why);
}

} // namespace ng
