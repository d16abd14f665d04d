// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Compat.h: the few places where LLVM's C++ interface changes between majors.  LLVM 19 is the one that everything is
// tested with; with 16 it builds and passes the tests of the pass (scripts/check-llvm16); 20 to 22 are within reach.
// Owns nothing at run time.

#ifndef NG_PASS_COMPAT_H
#define NG_PASS_COMPAT_H

#include "llvm/Config/llvm-config.h"

#if __has_include("llvm/Plugins/PassPlugin.h")
#include "llvm/Plugins/PassPlugin.h"
#else
#include "llvm/Passes/PassPlugin.h"
#endif

#include "llvm/Analysis/TargetLibraryInfo.h"
#include "llvm/Analysis/ValueTracking.h"
#include "llvm/IR/InstrTypes.h"
#include "llvm/IR/Module.h"
#include "llvm/Passes/PassBuilder.h"
#include "llvm/TargetParser/Triple.h"

#if LLVM_VERSION_MAJOR < 16
#error "NextGenPass needs LLVM 16 or later: clang must load the plugin that was built against its own"
#endif

namespace ng {

// Module::getTargetTriple returns a Triple from 21 on, a string before.
inline llvm::Triple targetOf(const llvm::Module &M) { return llvm::Triple(M.getTargetTriple()); }

inline void copyTarget(llvm::Module &To, const llvm::Module &From) {
  To.setDataLayout(From.getDataLayout());
  To.setTargetTriple(From.getTargetTriple());
}

// Whether the pointer that the call is given is never NULL there.
inline bool isNonZeroAt(const llvm::Value *V, const llvm::CallBase &Call) {
  const llvm::DataLayout &DL = Call.getModule()->getDataLayout();
#if LLVM_VERSION_MAJOR >= 19
  return llvm::isKnownNonZero(V, llvm::SimplifyQuery(DL, &Call));
#else
  return llvm::isKnownNonZero(V, DL, 0, nullptr, &Call);
#endif
}

// operator new with a hint for how hot the block is; LLVM 16 does not know them, so they stay calls there.
inline bool isHotColdNew(llvm::LibFunc Func) {
#if LLVM_VERSION_MAJOR >= 17
  using namespace llvm;
  return Func == LibFunc_Znwm12__hot_cold_t || Func == LibFunc_Znam12__hot_cold_t ||
         Func == LibFunc_ZnwmRKSt9nothrow_t12__hot_cold_t || Func == LibFunc_ZnamRKSt9nothrow_t12__hot_cold_t;
#else
  return false;
#endif
}

inline bool isAlignedHotColdNew(llvm::LibFunc Func) {
#if LLVM_VERSION_MAJOR >= 17
  using namespace llvm;
  return Func == LibFunc_ZnwmSt11align_val_t12__hot_cold_t || Func == LibFunc_ZnamSt11align_val_t12__hot_cold_t ||
         Func == LibFunc_ZnwmSt11align_val_tRKSt9nothrow_t12__hot_cold_t ||
         Func == LibFunc_ZnamSt11align_val_tRKSt9nothrow_t12__hot_cold_t;
#else
  return false;
#endif
}

// Whether Text is Name or Name<parameters>, and the parameters as Parse reads them.
inline bool isNamed(llvm::StringRef Text, llvm::StringRef Name) {
  return Text.consume_front(Name) && (Text.empty() || (Text.front() == '<' && Text.back() == '>'));
}

template <typename Parser> auto parametersOf(Parser &&Parse, llvm::StringRef Text, llvm::StringRef Name) {
  llvm::StringRef Params = Text.drop_front(Name.size());
  return Parse(Params.empty() ? Params : Params.drop_front().drop_back());
}

} // namespace ng

#endif
