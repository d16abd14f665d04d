// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Plugin.cpp: registers the passes, says in which order and phase they run, and no more.
//
// USAGE  clang-19 -O2 -fpass-plugin=NextGenPass.so app.c -lngrt
//        opt-19 -load-pass-plugin=NextGenPass.so -passes='nextgen-promote,nextgen-lower' -S app.ll
//
// Loaded once a compilation, and again by lld's --load-pass-plugin for LTO.  It registers no command-line options, so
// that two copies of the library in one process do not collide, and keeps no state: ThinLTO runs it on several threads.
//
// ENVIRONMENT  NGRT_PASS          parameters, as in -passes: "nextgen-promote<max-bytes=64>,nextgen-hoist<no-loops>"
//              NGRT_PASS_AT_LINK  set where the link has the plugin too: with -flto, only there are calls lowered

#include "Batch.h"
#include "Compat.h"
#include "Hoist.h"
#include "Lower.h"
#include "Promote.h"
#include "Split.h"
#include "llvm/IR/PassInstrumentation.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/Support/ErrorHandling.h"
#include <cstdlib>
#include <memory>

using namespace llvm;

namespace ng {

namespace {

// The parameters of all passes.
struct Settings {
  PromoteOptions Promote;
  HoistOptions Hoist;
  SplitOptions Split;
  BatchOptions Batch;
  LowerOptions Lower;
};

} // namespace

// Calls Each(name of pass, its options) for every pass, in the order in which they run, until one returns true.
template <typename Fn> static bool forEachPass(Settings &S, Fn Each) {
  return Each("nextgen-promote", S.Promote) || Each("nextgen-hoist", S.Hoist) || Each("nextgen-split", S.Split) ||
         Each("nextgen-batch", S.Batch) || Each("nextgen-lower", S.Lower);
}

static std::unique_ptr<PromotePass> passOf(const PromoteOptions &O) { return std::make_unique<PromotePass>(O); }
static std::unique_ptr<HoistPass> passOf(const HoistOptions &O) { return std::make_unique<HoistPass>(O); }
static std::unique_ptr<SplitPass> passOf(const SplitOptions &O) { return std::make_unique<SplitPass>(O); }
static std::unique_ptr<BatchPass> passOf(const BatchOptions &O) { return std::make_unique<BatchPass>(O); }
static std::unique_ptr<LowerPass> passOf(const LowerOptions &O) { return std::make_unique<LowerPass>(O); }

// name or name<parameters>, read into Opts; false where the name is another.
template <typename Options> static Expected<bool> readNamed(StringRef Text, StringRef Name, Options &Opts) {
  if (!isNamed(Text, Name))
    return false;
  Expected<Options> Read = parametersOf(Options::parse, Text, Name);
  if (!Read)
    return Read.takeError();
  Opts = *Read;
  return true;
}

// One element of -passes; false, after the reason on stderr, where the parameters are wrong.
static bool addNamed(StringRef Text, ModulePassManager &MPM) {
  Settings S;
  return forEachPass(S, [&](StringRef Name, auto &Opts) {
    Expected<bool> Is = readNamed(Text, Name, Opts);
    if (!Is) {
      errs() << toString(Is.takeError()) << '\n';
      return false;
    }
    if (*Is)
      MPM.addPass(std::move(*passOf(Opts)));
    return *Is;
  });
}

// What NGRT_PASS says. A wrong word ends the compilation: it would be lost otherwise.
static Settings settingsOfEnvironment() {
  Settings S;
  const char *Text = std::getenv("NGRT_PASS");
  SmallVector<StringRef, 4> Elements;
  StringRef(Text ? Text : "").split(Elements, ',', -1, /*KeepEmpty=*/false);
  for (StringRef One : Elements) {
    bool Known = forEachPass(S, [&](StringRef Name, auto &Opts) {
      Expected<bool> Is = readNamed(One, Name, Opts);
      if (!Is)
        report_fatal_error(Twine("NGRT_PASS: ") + toString(Is.takeError()), /*gen_crash_diag=*/false);
      return *Is;
    });
    if (!Known)
      report_fatal_error(Twine("NGRT_PASS: no pass '") + One.split('<').first +
                             "'; there are nextgen-promote, nextgen-hoist, nextgen-split, nextgen-batch, nextgen-lower",
                         /*gen_crash_diag=*/false);
  }
  return S;
}

// Whether M will be seen again, in a link that has the plugin: lowered now, its calls could not be promoted then.
static bool waitsForLink(const Module &M, bool IsFirstPhase) {
  return IsFirstPhase && std::getenv("NGRT_PASS_AT_LINK") &&
         (M.getModuleFlag("ThinLTO") || M.getModuleFlag("EnableSplitLTOUnit"));
}

namespace {

// The passes of one extension point, left out where the link will run them.
class Deferrable : public PassInfoMixin<Deferrable> {
public:
  Deferrable(ModulePassManager Passes, std::shared_ptr<bool> IsFirstPhase)
      : Passes(std::move(Passes)), IsFirstPhase(std::move(IsFirstPhase)) {}
  static StringRef name() { return "ng::Deferrable"; }
  PreservedAnalyses run(Module &M, ModuleAnalysisManager &MAM) {
    return waitsForLink(M, *IsFirstPhase) ? PreservedAnalyses::all() : Passes.run(M, MAM);
  }
  void printPipeline(raw_ostream &OS, function_ref<StringRef(StringRef)> MapName) { Passes.printPipeline(OS, MapName); }

private:
  ModulePassManager Passes;
  std::shared_ptr<bool> IsFirstPhase;
};

} // namespace

static void addPlanning(ModulePassManager &MPM, const Settings &S) {
  MPM.addPass(PromotePass(S.Promote));
  MPM.addPass(HoistPass(S.Hoist));
  MPM.addPass(SplitPass(S.Split));
}

static void addLowering(ModulePassManager &MPM, const Settings &S) {
  MPM.addPass(BatchPass(S.Batch));
  MPM.addPass(LowerPass(S.Lower));
}

static void registerCallbacks(PassBuilder &PB) {
  // The names under which -print-after, -opt-bisect-limit and remarks know the passes.
  if (PassInstrumentationCallbacks *PIC = PB.getPassInstrumentationCallbacks()) {
    PIC->addClassToPassName(PromotePass::name(), "nextgen-promote");
    PIC->addClassToPassName(HoistPass::name(), "nextgen-hoist");
    PIC->addClassToPassName(SplitPass::name(), "nextgen-split");
    PIC->addClassToPassName(BatchPass::name(), "nextgen-batch");
    PIC->addClassToPassName(LowerPass::name(), "nextgen-lower");
  }
  PB.registerPipelineParsingCallback([](StringRef Text, ModulePassManager &MPM,
                                        ArrayRef<PassBuilder::PipelineElement>) { return addNamed(Text, MPM); });
  const Settings S = settingsOfEnvironment();
  // The link of ThinLTO runs the same extension points as a compilation, but for the first.
  auto IsFirstPhase = std::make_shared<bool>(false);
  PB.registerPipelineStartEPCallback([=](ModulePassManager &, OptimizationLevel) { *IsFirstPhase = true; });
  // `auto...`: LLVM 20 adds the phase.  At -O0 the callbacks come as well; code there stays as it is written.
  auto Add = [=](void (*Passes)(ModulePassManager &, const Settings &)) {
    return [=](ModulePassManager &MPM, OptimizationLevel Level, auto...) {
      if (Level == OptimizationLevel::O0)
        return;
      ModulePassManager Own;
      Passes(Own, S);
      MPM.addPass(Deferrable(std::move(Own), IsFirstPhase));
    };
  };
  PB.registerOptimizerEarlyEPCallback(Add(addPlanning));
  PB.registerOptimizerLastEPCallback(Add(addLowering));
  PB.registerFullLinkTimeOptimizationLastEPCallback([=](ModulePassManager &MPM, OptimizationLevel Level, auto...) {
    if (Level == OptimizationLevel::O0)
      return;
    addPlanning(MPM, S);
    addLowering(MPM, S);
  });
}

} // namespace ng

extern "C" __attribute__((visibility("default"))) PassPluginLibraryInfo llvmGetPassPluginInfo() {
  return {LLVM_PLUGIN_API_VERSION, "NextGenPass", "1", ng::registerCallbacks};
}
