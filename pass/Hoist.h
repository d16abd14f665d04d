// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Hoist.h: nextgen-hoist, which asks for memory before it is needed.
//
// USAGE  opt-19 -load-pass-plugin=NextGenPass.so -passes='nextgen-hoist<min-blocks=8>' -S x.ll
//
// Runs at OptimizerEarly, where loops are simple and the plain calls are still there.  It adds requests and changes no
// allocation: a call of ngrt_hint_request in the loop's preheader or, for what the function and those that it calls
// allocate outside of loops, at its entry; one for each size class.  nextgen-lower turns it into one compare with what
// the magazine holds and, if that is too little, a word to the runtime.  A request binds nobody.

#ifndef NG_PASS_HOIST_H
#define NG_PASS_HOIST_H

#include "llvm/IR/PassManager.h"
#include "llvm/Support/Error.h"

namespace ng {

struct HoistOptions {
  bool Enabled = true;
  unsigned MinBlocks = 16;      // a request for fewer is not worth its compare
  unsigned MaxBytes = 1u << 20; // the most that one request asks for
  unsigned Likely = 90;         // per cent of the rounds, or calls, that must allocate for an allocation to count
  bool Calls = true;            // what called functions allocate counts

  static llvm::Expected<HoistOptions> parse(llvm::StringRef Params);
};

class HoistPass : public llvm::PassInfoMixin<HoistPass> {
public:
  explicit HoistPass(HoistOptions Opts = {}) : Opts(Opts) {}
  static llvm::StringRef name() { return "ng::HoistPass"; }
  llvm::PreservedAnalyses run(llvm::Module &M, llvm::ModuleAnalysisManager &MAM);
  void printPipeline(llvm::raw_ostream &OS, llvm::function_ref<llvm::StringRef(llvm::StringRef)> MapName);

private:
  HoistOptions Opts;
};

} // namespace ng

#endif
