// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Escape.h: where the address of a block goes.  Changes no IR.

#ifndef NG_PASS_ESCAPE_H
#define NG_PASS_ESCAPE_H

#include "AllocSites.h"
#include "llvm/ADT/DenseMap.h"
#include "llvm/ADT/STLFunctionalExtras.h"
#include "llvm/ADT/SmallPtrSet.h"
#include "llvm/ADT/SmallVector.h"

namespace ng {

// What becomes of a block whose address does not leave its function.
struct BlockUses {
  llvm::SmallVector<AllocSite, 2> Frees;          // of the block or, through phis, of NULL
  llvm::SmallVector<llvm::CallInst *, 4> Passed;  // calls that are given the address and do not keep it
  llvm::SmallVector<llvm::PHINode *, 4> Phis;     // through which the address goes
  llvm::SmallVector<llvm::Instruction *, 16> All; // everything that uses the address
};

// Follows addresses through a module.  Keeps what it found out of functions' arguments, so use one for all sites.
class Escapes {
public:
  using GetTLI = llvm::function_ref<const llvm::TargetLibraryInfo &(llvm::Function &)>;
  explicit Escapes(GetTLI TLI) : TLI(TLI) {}

  // Fills in Uses; null, or why the address may still be known, or the block be freed, where this function cannot see
  // it.
  const char *trace(const AllocSite &Site, BlockUses &Uses);

private:
  struct Walk;
  const char *follow(Walk &W);
  const char *visit(Walk &W, llvm::Use &U);
  const char *visitCall(Walk &W, llvm::CallBase &Call, llvm::Use &U);
  bool staysInside(llvm::CallBase &Call, unsigned Arg, unsigned Depth);

  GetTLI TLI;
  // Whether the argument is neither kept nor freed nor returned.  An entry that is being found out says no.
  llvm::DenseMap<const llvm::Argument *, bool> Harmless;
};

// Whether V is Block or NULL whatever happens: phis and selects of the two.
bool isBlockOrNull(const llvm::Value *V, const llvm::Value *Block);

// Whether a block of the allocation may be given to the free: malloc's to free, new's to delete, new[]'s to delete[].
bool isPair(const AllocSite &Allocation, const AllocSite &Free);

} // namespace ng

#endif
