// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// FastPath.h: carries the bitcode of fastpath.c and puts its functions in line.  The only file that knows how the code
// of the fast path comes into a module; what is called where is decided elsewhere (Lower.cpp).  No global state: under
// ThinLTO several threads run the plugin at once, each with a context of its own.

#ifndef NG_PASS_FASTPATH_H
#define NG_PASS_FASTPATH_H

#include "llvm/ADT/SmallVector.h"
#include "llvm/IR/IRBuilder.h"
#include "llvm/IR/Module.h"

namespace ng {

// A request (i32 bin, i64 blocks or bytes) between planning and lowering; it touches nothing that the program can name.
inline constexpr llvm::StringLiteral RequestHint = "ngrt_hint_request";
llvm::CallInst *addRequest(llvm::IRBuilderBase &B, uint32_t Bin, llvm::Value *Blocks);

// Use: call() as often as needed, then inlineAll() once.
class FastPath {
public:
  explicit FastPath(llvm::Module &M) : M(M) {}

  // A call of the function of fastpath.c with that name.  At the builder's place; as an invoke with Old's destinations
  // where Old is one.
  llvm::CallBase *call(llvm::IRBuilderBase &B, llvm::StringRef Name, llvm::ArrayRef<llvm::Value *> Args,
                       llvm::CallBase *Old = nullptr);

  // Links in what was called, puts it in line and leaves nothing of it behind.
  void inlineAll();

private:
  llvm::Module &M;
  llvm::SmallVector<llvm::CallBase *, 32> Calls;
};

} // namespace ng

#endif
