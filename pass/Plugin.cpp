// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Plugin.cpp: registers the passes, and no more.
//
// USAGE  clang-19 -O2 -fpass-plugin=NextGenPass.so app.c -lngrt
//        opt-19 -load-pass-plugin=NextGenPass.so -passes='nextgen-hoist,nextgen-lower' -S app.ll
//
// Loaded once a compilation, and again by lld's --load-pass-plugin for LTO.  It registers no command-line options, so
// that two copies of the library in one process do not collide, and keeps no state: ThinLTO runs it on several threads.

#include "Compat.h"
#include "Hoist.h"
#include "Lower.h"
#include "Promote.h"
#include "llvm/IR/PassInstrumentation.h"
#include "llvm/Passes/PassBuilder.h"

using namespace llvm;

namespace ng {

// name or name<parameters>; false, after the reason on stderr, where the parameters are wrong.
template <typename Pass, typename Options>
static bool addNamed(StringRef Text, StringRef Name, ModulePassManager &MPM) {
  if (!PassBuilder::checkParametrizedPassName(Text, Name))
    return false;
  Expected<Options> Opts = PassBuilder::parsePassParameters(Options::parse, Text, Name);
  if (!Opts) {
    errs() << toString(Opts.takeError()) << '\n';
    return false;
  }
  MPM.addPass(Pass(*Opts));
  return true;
}

static void registerCallbacks(PassBuilder &PB) {
  // The names under which -print-after, -opt-bisect-limit and remarks know the passes.
  if (PassInstrumentationCallbacks *PIC = PB.getPassInstrumentationCallbacks()) {
    PIC->addClassToPassName(PromotePass::name(), "nextgen-promote");
    PIC->addClassToPassName(HoistPass::name(), "nextgen-hoist");
    PIC->addClassToPassName(LowerPass::name(), "nextgen-lower");
  }
  PB.registerPipelineParsingCallback(
      [](StringRef Text, ModulePassManager &MPM, ArrayRef<PassBuilder::PipelineElement>) {
        return addNamed<PromotePass, PromoteOptions>(Text, "nextgen-promote", MPM) ||
               addNamed<HoistPass, HoistOptions>(Text, "nextgen-hoist", MPM) ||
               addNamed<LowerPass, LowerOptions>(Text, "nextgen-lower", MPM);
      });
  // `auto...`: LLVM 20 adds the phase.  At -O0 the callbacks come as well; code there stays as it is written.
  PB.registerOptimizerEarlyEPCallback([](ModulePassManager &MPM, OptimizationLevel Level, auto...) {
    if (Level == OptimizationLevel::O0)
      return;
    MPM.addPass(PromotePass());
    MPM.addPass(HoistPass());
  });
  auto Lower = [](ModulePassManager &MPM, OptimizationLevel Level, auto...) {
    if (Level != OptimizationLevel::O0)
      MPM.addPass(LowerPass());
  };
  PB.registerOptimizerLastEPCallback(Lower);
  PB.registerFullLinkTimeOptimizationLastEPCallback(Lower);
}

} // namespace ng

extern "C" __attribute__((visibility("default"))) PassPluginLibraryInfo llvmGetPassPluginInfo() {
  return {LLVM_PLUGIN_API_VERSION, "NextGenPass", "1", ng::registerCallbacks};
}
