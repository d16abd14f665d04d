// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "AllocSites.h"
#include "Abi.h"
#include "Compat.h"
#include "llvm/IR/Constants.h"
#include "llvm/IR/InstrTypes.h"
#include "llvm/IR/Instructions.h"
#include "llvm/Support/MathExtras.h"

using namespace llvm;

namespace ng {

// A string attribute survives LTO, cloning and inlining, which metadata need not.
static constexpr StringLiteral KeptAttr = "ngrt-kept";

void markKept(CallBase &Call) {
  LLVMContext &Ctx = Call.getContext();
  Call.addFnAttr(Attribute::get(Ctx, KeptAttr));
  Call.addFnAttr(Attribute::get(Ctx, Attribute::Cold));
}

static std::optional<uint64_t> constantOf(const Value *V) {
  if (const auto *C = dyn_cast_or_null<ConstantInt>(V))
    if (C->getValue().getActiveBits() <= 64)
      return C->getZExtValue();
  return std::nullopt;
}

std::optional<uint64_t> AllocSite::constantBytes() const {
  std::optional<uint64_t> Bytes = constantOf(Size);
  if (!Bytes)
    return std::nullopt;
  if (Count) {
    std::optional<uint64_t> N = constantOf(Count);
    if (!N)
      return std::nullopt;
    bool Overflow = false;
    uint64_t Product = SaturatingMultiply(*N, *Bytes, &Overflow);
    return Overflow ? std::nullopt : std::optional<uint64_t>(Product);
  }
  if (Align) {
    std::optional<uint64_t> A = constantOf(Align);
    if (!A || !isPowerOf2_64(*A))
      return std::nullopt;
    return ngrt_size_for_alignment(*Bytes, *A);
  }
  return Bytes;
}

// Fills in what the form's operands mean; false for a library function that is no site.
static bool classify(LibFunc Func, AllocSite &S) {
  auto Arg = [&](unsigned I) { return S.Call->getArgOperand(I); };
  switch (Func) {
  case LibFunc_malloc:
    S.Kind = SiteKind::Malloc;
    S.Size = Arg(0);
    return true;
  case LibFunc_calloc:
    S.Kind = SiteKind::Calloc;
    S.Count = Arg(0);
    S.Size = Arg(1);
    return true;
  case LibFunc_realloc:
    S.Kind = SiteKind::Realloc;
    S.Pointer = Arg(0);
    S.Size = Arg(1);
    return true;
  case LibFunc_aligned_alloc:
  case LibFunc_memalign:
    S.Kind = SiteKind::Aligned;
    S.Align = Arg(0);
    S.Size = Arg(1);
    return true;
  case LibFunc_posix_memalign:
    S.Kind = SiteKind::PosixMemalign;
    S.Pointer = Arg(0);
    S.Align = Arg(1);
    S.Size = Arg(2);
    return true;
  case LibFunc_free:
    S.Kind = SiteKind::Free;
    S.Pointer = Arg(0);
    return true;

  case LibFunc_Znwm:
    S.Kind = SiteKind::New;
    S.Size = Arg(0);
    return true;
  case LibFunc_Znam:
    S.Kind = SiteKind::NewArray;
    S.Size = Arg(0);
    return true;
  case LibFunc_ZnwmRKSt9nothrow_t:
  case LibFunc_ZnamRKSt9nothrow_t:
    S.Kind = SiteKind::OtherNew;
    S.Size = Arg(0);
    return true;
  case LibFunc_ZnwmSt11align_val_t:
  case LibFunc_ZnamSt11align_val_t:
  case LibFunc_ZnwmSt11align_val_tRKSt9nothrow_t:
  case LibFunc_ZnamSt11align_val_tRKSt9nothrow_t:
    S.Kind = SiteKind::OtherNew;
    S.Size = Arg(0);
    S.Align = Arg(1);
    return true;

  case LibFunc_ZdlPv:
    S.Kind = SiteKind::Delete;
    S.Pointer = Arg(0);
    return true;
  case LibFunc_ZdaPv:
    S.Kind = SiteKind::DeleteArray;
    S.Pointer = Arg(0);
    return true;
  case LibFunc_ZdlPvm:
  case LibFunc_ZdaPvm:
    S.Kind = SiteKind::OtherDelete;
    S.Pointer = Arg(0);
    S.Size = Arg(1);
    return true;
  case LibFunc_ZdlPvmSt11align_val_t:
  case LibFunc_ZdaPvmSt11align_val_t:
    S.Kind = SiteKind::OtherDelete;
    S.Pointer = Arg(0);
    S.Size = Arg(1);
    S.Align = Arg(2);
    return true;
  case LibFunc_ZdlPvSt11align_val_t:
  case LibFunc_ZdaPvSt11align_val_t:
  case LibFunc_ZdlPvSt11align_val_tRKSt9nothrow_t:
  case LibFunc_ZdaPvSt11align_val_tRKSt9nothrow_t:
  case LibFunc_ZdlPvRKSt9nothrow_t:
  case LibFunc_ZdaPvRKSt9nothrow_t:
    S.Kind = SiteKind::OtherDelete;
    S.Pointer = Arg(0);
    return true;
  default:
    if (!isHotColdNew(Func) && !isAlignedHotColdNew(Func))
      return false;
    S.Kind = SiteKind::OtherNew;
    S.Size = Arg(0);
    S.Align = isAlignedHotColdNew(Func) ? Arg(1) : nullptr;
    return true;
  }
}

std::optional<AllocSite> recognise(CallBase &Call, const TargetLibraryInfo &TLI) {
  LibFunc Func;
  // getLibFunc knows of nobuiltin calls and checks the prototype; only has() knows of no_builtin functions; a function
  // that the module itself defines is the program's, whatever its name.
  if (!TLI.getLibFunc(Call, Func) || !TLI.has(Func) || !Call.getCalledFunction()->isDeclaration())
    return std::nullopt;
  if (Call.hasFnAttr(KeptAttr) || Call.isMustTailCall() || Call.hasOperandBundles() || isa<CallBrInst>(Call))
    return std::nullopt;
  AllocSite Site;
  Site.Call = &Call;
  if (!classify(Func, Site))
    return std::nullopt;
  return Site;
}

static bool defines(const Module &M, StringRef Name) {
  const GlobalValue *GV = M.getNamedValue(Name);
  return GV && !GV->isDeclarationForLinker();
}

// Placement forms (_ZnwmPv, _ZnwmR5Arena) and members of classes are the program's own business.
static bool isReplaceableOperator(StringRef Name) {
  bool IsOperator = Name.consume_front("_Znwm") || Name.consume_front("_Znam") || Name.consume_front("_ZdlPv") ||
                    Name.consume_front("_ZdaPv");
  if (!IsOperator)
    return false;
  Name.consume_front("m");
  Name.consume_front("St11align_val_t");
  Name.consume_front("RKSt9nothrow_t");
  Name.consume_front("12__hot_cold_t");
  return Name.empty();
}

static bool isTargetSupported(const Module &M) {
  Triple T = targetOf(M);
  return T.isOSLinux() && T.isOSBinFormatELF() && !T.isAndroid() && M.getDataLayout().getPointerSizeInBits(0) == 64 &&
         (T.getArch() == Triple::x86_64 || T.getArch() == Triple::aarch64);
}

static bool isSanitized(const Module &M) {
  static constexpr Attribute::AttrKind Kinds[] = {Attribute::SanitizeAddress, Attribute::SanitizeHWAddress,
                                                  Attribute::SanitizeMemory, Attribute::SanitizeThread,
                                                  Attribute::SanitizeMemTag};
  return any_of(M, [](const Function &F) { return any_of(Kinds, [&](auto K) { return F.hasFnAttribute(K); }); });
}

KeepOut::KeepOut(const Module &M) {
  static constexpr StringLiteral Malloc[] = {"malloc",        "calloc",   "realloc",       "free",
                                             "aligned_alloc", "memalign", "posix_memalign"};
  if (!isTargetSupported(M))
    Everything = "the target is not 64-bit Linux on x86-64 or AArch64";
  else if (isSanitized(M))
    Everything = "the module is built for a sanitizer, which brings its own allocator";
  // operator new is malloc by default, so a program with its own malloc expects to serve both.
  else if (any_of(Malloc, [&](StringRef N) { return defines(M, N); }))
    Everything = "the module defines its own malloc family";
  // Local ones too: a link with LTO makes the program's operator local.
  if (any_of(M.global_values(),
             [](const GlobalValue &GV) { return !GV.isDeclarationForLinker() && isReplaceableOperator(GV.getName()); }))
    Operators = "the module replaces operator new or delete";
}

const char *KeepOut::fromSite(const AllocSite &Site) const {
  if (Everything)
    return Everything;
  return Site.isOperator() ? Operators : nullptr;
}

const char *KeepOut::fromFunction(const Function &F) {
  if (F.hasOptNone())
    return "the function is optnone";
  if (F.hasFnAttribute(Attribute::Naked))
    return "the function is naked";
  if (F.isPresplitCoroutine())
    return "the function is a coroutine that is not split yet";
  // After the second return a value is what it was only if it stayed where the compiler had put it.
  if (F.callsFunctionThatReturnsTwice())
    return "the function calls setjmp or its like";
  return nullptr;
}

} // namespace ng
