// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Compat.h: the few places where LLVM's C++ interface changes between majors.  LLVM 19 is the one that is supported and
// tested; what is here keeps 20 to 22 within reach.  Included by every file of the pass, owns nothing at run time.

#ifndef NG_PASS_COMPAT_H
#define NG_PASS_COMPAT_H

#include "llvm/Config/llvm-config.h"

#if __has_include("llvm/Plugins/PassPlugin.h")
#include "llvm/Plugins/PassPlugin.h"
#else
#include "llvm/Passes/PassPlugin.h"
#endif

#include "llvm/IR/Module.h"
#include "llvm/TargetParser/Triple.h"

#if LLVM_VERSION_MAJOR < 19
#error "NextGenPass needs LLVM 19: clang 19 must load the plugin that was built against it"
#endif

namespace ng {

// Module::getTargetTriple returns a Triple from 21 on, a string before.
inline llvm::Triple targetOf(const llvm::Module &M) { return llvm::Triple(M.getTargetTriple()); }

inline void copyTarget(llvm::Module &To, const llvm::Module &From) {
  To.setDataLayout(From.getDataLayout());
  To.setTargetTriple(From.getTargetTriple());
}

} // namespace ng

#endif
