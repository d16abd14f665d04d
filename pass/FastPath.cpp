// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "FastPath.h"
#include "Compat.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/Analysis/ValueTracking.h"
#include "llvm/Bitcode/BitcodeReader.h"
#include "llvm/IR/DebugInfo.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/Instructions.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/Linker/Linker.h"
#include "llvm/Support/ErrorHandling.h"
#include "llvm/Support/MemoryBuffer.h"
#include "llvm/Support/ModRef.h"
#include "llvm/Transforms/Utils/Cloning.h"

using namespace llvm;

namespace ng {

static const unsigned char Bitcode[] = {
#include "fastpath.bc.inc"
};

CallInst *addRequest(IRBuilderBase &B, uint32_t Bin, Value *Blocks) {
  Module &M = *B.GetInsertBlock()->getModule();
  FunctionCallee Hint = M.getOrInsertFunction(RequestHint, B.getVoidTy(), B.getInt32Ty(), B.getInt64Ty());
  auto *Decl = cast<Function>(Hint.getCallee());
  for (auto Kind :
       {Attribute::NoUnwind, Attribute::WillReturn, Attribute::NoFree, Attribute::NoSync, Attribute::NoCallback})
    Decl->addFnAttr(Kind);
  Decl->setMemoryEffects(MemoryEffects::inaccessibleMemOnly());
  return B.CreateCall(Hint, {B.getInt32(Bin), Blocks});
}

CallBase *FastPath::call(IRBuilderBase &B, StringRef Name, ArrayRef<Value *> Args, CallBase *Old) {
  // What each function of fastpath.c returns follows from its name; linking checks that against the bitcode.
  Type *Ret = B.getPtrTy();
  if (Name.contains("_give"))
    Ret = B.getInt32Ty();
  else if (Name.contains("_free") || Name.contains("_delete") || Name.contains("_request") ||
           Name.contains("_lower_top"))
    Ret = B.getVoidTy();
  SmallVector<Type *, 2> Types;
  for (Value *V : Args)
    Types.push_back(V->getType());
  FunctionCallee Callee = M.getOrInsertFunction(Name, FunctionType::get(Ret, Types, false));

  CallBase *Call;
  if (auto *Invoke = dyn_cast_or_null<InvokeInst>(Old)) {
    Call = B.CreateInvoke(Callee, Invoke->getNormalDest(), Invoke->getUnwindDest(), Args);
  } else {
    CallInst *Plain = B.CreateCall(Callee, Args);
    if (auto *OldCall = dyn_cast_or_null<CallInst>(Old))
      Plain->setTailCallKind(OldCall->getTailCallKind());
    Call = Plain;
  }
  Calls.push_back(Call);
  return Call;
}

// The thread cache must be read anew at every use.  LLVM believes that malloc, free and whatever calls them touch no
// memory that the program can name (memory(inaccessiblemem)), so it would carry a magazine's top in a register across
// such a call, and hand out one block twice.  Volatile costs nothing here: each field is used once a path.
static void readCacheAnew(Function &F) {
  for (Instruction &I : instructions(F)) {
    Value *Pointer = getLoadStorePointerOperand(&I);
    if (!Pointer)
      continue;
    const Value *Base = getUnderlyingObject(Pointer);
    if (const auto *II = dyn_cast<IntrinsicInst>(Base); II && II->getIntrinsicID() == Intrinsic::threadlocal_address)
      Base = II->getArgOperand(0);
    if (!isa<GlobalVariable>(Base))
      continue;
    if (auto *Load = dyn_cast<LoadInst>(&I))
      Load->setVolatile(true);
    else
      cast<StoreInst>(I).setVolatile(true);
  }
}

// -ffreestanding is for compiling the fast path; in the program it would only be in the way.
static void forgetFreestanding(Function &F) {
  for (Instruction &I : instructions(F))
    if (auto *Call = dyn_cast<CallBase>(&I)) {
      Call->removeFnAttr(Attribute::NoBuiltin);
      Call->setAttributes(Call->getAttributes().removeFnAttribute(Call->getContext(), "no-builtins"));
    }
}

// Makes of the bitcode something that any module of a supported target can take in.
static void clean(Module &Fast, const Module &Into) {
  copyTarget(Fast, Into);
  // Merged flags would change the program's (cf-protection); debug info and idents would join the program's.
  StripDebugInfo(Fast);
  for (const char *Name : {"llvm.module.flags", "llvm.ident"})
    if (NamedMDNode *Node = Fast.getNamedMetadata(Name))
      Fast.eraseNamedMetadata(Node);
  for (Function &F : Fast) {
    if (F.isIntrinsic())
      continue;
    for (StringRef Attr : {"target-cpu", "target-features", "tune-cpu", "frame-pointer", "min-legal-vector-width",
                           "stack-protector-buffer-size", "no-trapping-math", "no-builtins"})
      F.removeFnAttr(Attr);
    F.removeFnAttr(Attribute::UWTable);
    if (F.isDeclaration()) {
      // A lazy PLT would lose r10, which preserve_most promises to keep.
      F.addFnAttr(Attribute::NonLazyBind);
      F.setDSOLocal(false);
      F.setVisibility(GlobalValue::DefaultVisibility);
    } else {
      F.addFnAttr(Attribute::MustProgress); // else the callers would lose it
      readCacheAnew(F);
      forgetFreestanding(F);
    }
  }
}

static std::unique_ptr<Module> parse(LLVMContext &Ctx) {
  StringRef Bytes(reinterpret_cast<const char *>(Bitcode), sizeof(Bitcode));
  Expected<std::unique_ptr<Module>> Fast = parseBitcodeFile(MemoryBufferRef(Bytes, "ngrt-fastpath"), Ctx);
  if (!Fast)
    report_fatal_error("NextGenPass: the fast path that the plugin carries is no bitcode of this LLVM: " +
                       Twine(toString(Fast.takeError())));
  return std::move(*Fast);
}

void FastPath::inlineAll() {
  if (Calls.empty())
    return;
  std::unique_ptr<Module> Fast = parse(M.getContext());
  clean(*Fast, M);
  if (Linker::linkModules(M, std::move(Fast), Linker::Flags::LinkOnlyNeeded))
    report_fatal_error("NextGenPass: the fast path does not link into this module");

  SmallSetVector<Function *, 16> Bodies;
  for (CallBase *Call : Calls) {
    Function *F = Call->getCalledFunction();
    if (!F || F->isDeclaration())
      report_fatal_error("NextGenPass: a function of the fast path is missing from its bitcode");
    F->setLinkage(GlobalValue::InternalLinkage);
    F->setVisibility(GlobalValue::DefaultVisibility);
    Bodies.insert(F);
  }
  for (CallBase *Call : Calls) {
    InlineFunctionInfo Info;
    (void)InlineFunction(*Call, Info);
  }
  // One that would not go in line (another garbage collector's function, say) stays as a function of the module.
  for (Function *F : Bodies)
    if (F->use_empty())
      F->eraseFromParent();
  Calls.clear();
}

} // namespace ng
