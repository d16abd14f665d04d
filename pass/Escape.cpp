// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// A walk over the uses of an address, and of what is made of it.  LLVM's own capture tracking does not tell who frees,
// and takes the string functions that return their argument for an escape.

#include "Escape.h"
#include "llvm/IR/Constants.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/Instructions.h"
#include "llvm/IR/IntrinsicInst.h"

using namespace llvm;

namespace ng {

// Uses that one walk looks at, and calls deep: what is more costs compile time and is hardly ever private.
static constexpr unsigned MostUses = 256, MostDepth = 4;

struct Escapes::Walk {
  Value *Block;          // the allocation, or an argument
  const AllocSite *Site; // null for an argument
  BlockUses &Uses;
  const TargetLibraryInfo &TLI;
  unsigned Depth;
  SmallVector<Value *, 8> Work;
  SmallPtrSet<Value *, 16> Seen; // the block and what points into it

  void add(Value &V) {
    if (Seen.insert(&V).second)
      Work.push_back(&V);
  }
};

bool isBlockOrNull(const Value *V, const Value *Block) {
  SmallVector<const Value *, 8> Work{V};
  SmallPtrSet<const Value *, 8> Seen;
  while (!Work.empty()) {
    const Value *One = Work.pop_back_val()->stripPointerCasts();
    if (One == Block || isa<ConstantPointerNull>(One) || !Seen.insert(One).second)
      continue;
    if (const auto *Phi = dyn_cast<PHINode>(One))
      Work.append(Phi->value_op_begin(), Phi->value_op_end());
    else if (const auto *Select = dyn_cast<SelectInst>(One))
      Work.append({Select->getTrueValue(), Select->getFalseValue()});
    else
      return false;
  }
  return true;
}

bool isPair(const AllocSite &Allocation, const AllocSite &Free) {
  if (!Allocation.isOperator())
    return Free.Kind == SiteKind::Free;
  auto IsArray = [](StringRef Name) { return Name.starts_with("_Zna") || Name.starts_with("_Zda"); };
  return Free.Kind != SiteKind::Free && IsArray(Allocation.callee()) == IsArray(Free.callee());
}

// Functions of libc that return a pointer into their first argument, and keep none.
static bool returnsIntoFirst(LibFunc Func) {
  switch (Func) {
  case LibFunc_strcpy:
  case LibFunc_strncpy:
  case LibFunc_stpcpy:
  case LibFunc_stpncpy:
  case LibFunc_strcat:
  case LibFunc_strncat:
  case LibFunc_strchr:
  case LibFunc_strrchr:
  case LibFunc_strstr:
  case LibFunc_strpbrk:
  case LibFunc_memchr:
  case LibFunc_memrchr:
  case LibFunc_memcpy:
  case LibFunc_memmove:
  case LibFunc_mempcpy:
  case LibFunc_memset:
  case LibFunc_memcpy_chk:
  case LibFunc_memmove_chk:
  case LibFunc_memset_chk:
  case LibFunc_strcpy_chk:
  case LibFunc_strncpy_chk:
  case LibFunc_stpcpy_chk:
  case LibFunc_strcat_chk:
  case LibFunc_fgets:
    return true;
  default:
    return false;
  }
}

// Functions whose variable arguments are read or written, never kept.
static bool isFormatted(LibFunc Func) {
  switch (Func) {
  case LibFunc_printf:
  case LibFunc_fprintf:
  case LibFunc_sprintf:
  case LibFunc_snprintf:
  case LibFunc_sprintf_chk:
  case LibFunc_snprintf_chk:
  case LibFunc_scanf:
  case LibFunc_sscanf:
  case LibFunc_fscanf:
    return true;
  default:
    return false;
  }
}

// What may be done with an address as a number: differences within the block are none any more, comparisons and the low
// bits tell nothing that could be turned back.
static bool isHarmlessNumber(const PtrToIntInst &Number, const SmallPtrSetImpl<Value *> &Inside) {
  auto PointsInside = [&](Value *V) {
    auto *P = dyn_cast<PtrToIntInst>(V);
    return P && Inside.count(P->getPointerOperand()->stripPointerCasts());
  };
  for (const User *U : Number.users()) {
    const auto *I = cast<Instruction>(U);
    if (isa<ICmpInst>(I))
      continue;
    if (I->getOpcode() == Instruction::Sub && PointsInside(I->getOperand(0)) && PointsInside(I->getOperand(1)))
      continue;
    if (I->getOpcode() == Instruction::And)
      if (const auto *Mask = dyn_cast<ConstantInt>(I->getOperand(1)); Mask && Mask->getValue().ult(4096))
        continue;
    return false;
  }
  return true;
}

bool Escapes::staysInside(CallBase &Call, unsigned Arg, unsigned Depth) {
  if (Call.isByValArgument(Arg))
    return true; // a copy
  bool Freed =
      !Call.hasFnAttr(Attribute::NoFree) && !Call.paramHasAttr(Arg, Attribute::NoFree) && !Call.onlyReadsMemory(Arg);
  if (Call.doesNotCapture(Arg) && !Freed)
    return true;
  Function *Callee = Call.getCalledFunction();
  if (!Callee || !Callee->hasExactDefinition() || Arg >= Callee->arg_size() || Depth >= MostDepth)
    return false;
  Argument *A = Callee->getArg(Arg);
  auto [Known, IsNew] = Harmless.try_emplace(A, false);
  if (!IsNew)
    return Known->second;
  BlockUses Ignored;
  Walk W{A, nullptr, Ignored, TLI(*Callee), Depth + 1, {}, {}};
  W.add(*A);
  return Harmless[A] = follow(W) == nullptr;
}

const char *Escapes::visitCall(Walk &W, CallBase &Call, Use &U) {
  if (std::optional<AllocSite> Other = recognise(Call, W.TLI)) {
    if (Other->Kind == SiteKind::Realloc)
      return "realloc resizes it";
    if (!Other->frees())
      return "its address is stored"; // posix_memalign's place would be a block of its own
    if (!W.Site)
      return "a function that is given its address frees it";
    if (!isPair(*W.Site, *Other))
      return "what frees it belongs to another allocation function";
    if (!isBlockOrNull(Other->Pointer, W.Block))
      return "the same call also frees other blocks";
    W.Uses.Frees.push_back(*Other);
    return nullptr;
  }
  if (auto *II = dyn_cast<IntrinsicInst>(&Call)) {
    if (II->isAssumeLikeIntrinsic() || II->getIntrinsicID() == Intrinsic::objectsize)
      return nullptr;
    if (II->getIntrinsicID() == Intrinsic::launder_invariant_group ||
        II->getIntrinsicID() == Intrinsic::strip_invariant_group) {
      W.add(Call);
      return nullptr;
    }
  }
  if (!Call.isArgOperand(&U) || Call.isMustTailCall())
    return "a call is given its address in a way that cannot be followed";
  unsigned Arg = Call.getArgOperandNo(&U);
  if (auto *Plain = dyn_cast<CallInst>(&Call))
    W.Uses.Passed.push_back(Plain);
  LibFunc Func;
  bool IsLib = W.TLI.getLibFunc(Call, Func) && W.TLI.has(Func);
  if (IsLib && isFormatted(Func))
    return nullptr;
  if ((IsLib && Arg == 0 && returnsIntoFirst(Func)) || Call.paramHasAttr(Arg, Attribute::Returned)) {
    W.add(Call);
    if (IsLib)
      return nullptr;
  }
  return staysInside(Call, Arg, W.Depth) ? nullptr : "a call that is given its address may keep or free it";
}

const char *Escapes::visit(Walk &W, Use &U) {
  auto *I = cast<Instruction>(U.getUser());
  W.Uses.All.push_back(I);
  if (auto *Call = dyn_cast<CallBase>(I))
    return visitCall(W, *Call, U);
  switch (I->getOpcode()) {
  case Instruction::Load:
    return nullptr;
  case Instruction::Store:
    return U.getOperandNo() == StoreInst::getPointerOperandIndex() ? nullptr : "its address is stored";
  case Instruction::AtomicRMW:
  case Instruction::AtomicCmpXchg:
    return U.getOperandNo() == 0 ? nullptr : "its address is stored";
  case Instruction::PHI:
    W.Uses.Phis.push_back(cast<PHINode>(I));
    [[fallthrough]];
  case Instruction::Select:
  case Instruction::GetElementPtr:
  case Instruction::BitCast:
  case Instruction::Freeze:
    if (I->getType()->isVectorTy())
      return "its address is in a vector";
    W.add(*I);
    return nullptr;
  case Instruction::ICmp:
    return nullptr;
  case Instruction::PtrToInt:
    return nullptr; // looked at when all that points inside is known
  case Instruction::Ret:
    return "it is returned";
  default:
    return "its address is used in a way that cannot be followed";
  }
}

const char *Escapes::follow(Walk &W) {
  SmallVector<PtrToIntInst *, 4> Numbers;
  while (!W.Work.empty())
    for (Use &U : W.Work.pop_back_val()->uses()) {
      if (W.Uses.All.size() >= MostUses)
        return "its address is used too often to follow";
      if (auto *Number = dyn_cast<PtrToIntInst>(U.getUser()))
        Numbers.push_back(Number);
      if (const char *Why = visit(W, U))
        return Why;
    }
  for (PtrToIntInst *Number : Numbers)
    if (!isHarmlessNumber(*Number, W.Seen))
      return "its address is used as a number";
  return nullptr;
}

const char *Escapes::trace(const AllocSite &Site, BlockUses &Uses) {
  Walk W{Site.Call, &Site, Uses, TLI(*Site.Call->getFunction()), 0, {}, {}};
  W.add(*Site.Call);
  return follow(W);
}

} // namespace ng
