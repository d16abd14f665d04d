// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// AllocSites.h: which calls allocate and free, and which of them the pass may touch at all.  Changes no IR.

#ifndef NG_PASS_ALLOCSITES_H
#define NG_PASS_ALLOCSITES_H

#include "llvm/Analysis/TargetLibraryInfo.h"
#include "llvm/IR/InstrTypes.h"
#include "llvm/IR/Module.h"
#include <optional>

namespace ng {

// What a call does.  The forms named Other differ from their plain sisters only in what happens on a miss, which the
// program's own call does then.
enum class SiteKind {
  Malloc,
  Calloc,
  Realloc,
  Aligned, // aligned_alloc, memalign
  PosixMemalign,
  New,
  NewArray,
  OtherNew, // nothrow, aligned, hot/cold
  Free,
  Delete,
  DeleteArray,
  OtherDelete, // sized, aligned, nothrow
};

// One call.  Operands that the form does not have are null.
struct AllocSite {
  llvm::CallBase *Call = nullptr;
  SiteKind Kind = SiteKind::Malloc;
  llvm::Value *Size = nullptr;    // bytes; calloc: of one element; delete: what the program says that it frees
  llvm::Value *Count = nullptr;   // calloc's elements
  llvm::Value *Align = nullptr;   // bytes
  llvm::Value *Pointer = nullptr; // freed or resized; posix_memalign: where the result goes

  bool frees() const {
    return Kind == SiteKind::Free || Kind == SiteKind::Delete || Kind == SiteKind::DeleteArray ||
           Kind == SiteKind::OtherDelete;
  }
  // C++'s operators can be replaced by the program; the pass then asks other rules than for malloc.
  bool isOperator() const {
    return Kind == SiteKind::New || Kind == SiteKind::NewArray || Kind == SiteKind::OtherNew ||
           Kind == SiteKind::Delete || Kind == SiteKind::DeleteArray || Kind == SiteKind::OtherDelete;
  }
  llvm::StringRef callee() const { return Call->getCalledFunction()->getName(); }

  // The bytes of one block where they are a constant: calloc's product, an aligned request's rounded-up size.
  std::optional<uint64_t> constantBytes() const;
};

// Whether a function of libc calls what the program gives it: of those that TargetLibraryInfo knows (bsearch it does
// not).
inline bool callsBack(llvm::LibFunc Func) { return Func == llvm::LibFunc_qsort; }

// The call as a site, if it is one.  TLI must be the caller function's own: only it knows of
// __attribute__((no_builtin)).  Calls that this pass has dealt with are none.
std::optional<AllocSite> recognise(llvm::CallBase &Call, const llvm::TargetLibraryInfo &TLI);

// Marks a call that stays as the miss of a fast path, so that nobody puts a second fast path before it.
void markKept(llvm::CallBase &Call);

// What forbids touching a module or a function.  Each answer is the reason, for a remark, or null.
class KeepOut {
public:
  explicit KeepOut(const llvm::Module &M);
  const char *fromModule() const { return Everything; }
  const char *fromSite(const AllocSite &Site) const;
  static const char *fromFunction(const llvm::Function &F);

private:
  const char *Everything = nullptr;
  const char *Operators = nullptr;
};

} // namespace ng

#endif
