// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Three parts: deciding for one site (Decider), choosing within the budget of code growth (Budget), rewriting
// (Rewriter). The first two change no IR.

#include "Lower.h"
#include "Abi.h"
#include "AllocSites.h"
#include "Batch.h"
#include "Compat.h"
#include "FastPath.h"
#include "Params.h"
#include "Remarks.h"
#include "llvm/ADT/MapVector.h"
#include "llvm/ADT/SetVector.h"
#include "llvm/ADT/SmallPtrSet.h"
#include "llvm/Analysis/BlockFrequencyInfo.h"
#include "llvm/Analysis/ProfileSummaryInfo.h"
#include "llvm/Analysis/TargetLibraryInfo.h"
#include "llvm/Analysis/ValueTracking.h"
#include "llvm/IR/Constants.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/IntrinsicInst.h"
#include "llvm/IR/MDBuilder.h"
#include "llvm/Transforms/InstCombine/InstCombine.h"
#include "llvm/Transforms/Scalar/EarlyCSE.h"
#include "llvm/Transforms/Scalar/JumpThreading.h"
#include "llvm/Transforms/Scalar/SimplifyCFG.h"
#include "llvm/Transforms/Utils/BasicBlockUtils.h"
#include "llvm/Transforms/Utils/SizeOpts.h"
#include <array>
#include <cmath>
#include <numeric>

using namespace llvm;

namespace ng {

static const char *const PassName = "nextgen-lower";

// A block is rare where the function runs it less than once in RareBelow calls: error paths, clean-ups of exceptions.
static constexpr double RareBelow = 32;

namespace {

enum class Form {
  Whole,    // the fast path, slow half included, stands for the call
  TakeElse, // a block from the magazine; where there is none, the call
  GiveElse, // the block into the magazine; where that fails, the call
  Batch,    // blocks for this call and others off the magazine at once; where they are too few, the calls
};

// What is to be done with one site.
struct Plan {
  AllocSite Site;
  Form How = Form::Whole;
  StringRef Func; // of fastpath.c
  // For it.  Handles, since an earlier rewrite may replace what is freed here.
  SmallVector<WeakTrackingVH, 2> Args;
  unsigned Cost = 0;                    // bytes of text that it adds, about
  double Gain = 0;                      // executions, estimated, for each byte; of meaning only in comparison
  double Heat = 0;                      // executions for each call of the function: decides between equal gains
  std::string What;                     // for the remark
  uint32_t Bin = 0;                     // of a batch
  SmallVector<CallBase *, 0> Followers; // of a batch: the other calls, in their order

  SmallVector<Value *, 2> args() const { return {Args.begin(), Args.end()}; }
};

// Bytes that each fast path adds to the text of x86-64 over a call, as measured; AArch64 is near.
enum : unsigned {
  TakeCost = 40,
  TakeAnyCost = 85,
  TakeNullCost = 10,
  ElseCost = 8,
  GiveCost = 85,
  ZeroCost = 5,
  NextCost = 20
};

class Decider {
public:
  Decider(const LowerOptions &Opts, LLVMContext &Ctx)
      : Opts(Opts), I32(Type::getInt32Ty(Ctx)), I64(Type::getInt64Ty(Ctx)) {}

  // Fills in P's How, Func, Args, Cost and What; otherwise the reason against it.
  const char *decide(Plan &P, const TargetLibraryInfo &TLI) const;

private:
  const char *decideTake(Plan &P, StringRef Bin, StringRef Any, Form How) const;
  const char *decideCalloc(Plan &P) const;
  const char *decideRealloc(Plan &P) const;
  const char *decideFree(Plan &P, const TargetLibraryInfo &TLI) const;
  bool hasClass(uint64_t Bytes) const { return ngrt_is_small(Bytes) && ngrt_class_of(Bytes) <= Opts.MaxClass; }
  Value *binOf(uint64_t Bytes) const { return ConstantInt::get(I32, ngrt_bin_of(Bytes)); }

  const LowerOptions &Opts;
  Type *I32, *I64;
};

} // namespace

static constexpr const char *NoClass = "a block of this size has no size class to take it from";

static void take(Plan &P, Form How, StringRef Func, std::initializer_list<Value *> Args, unsigned Cost,
                 const Twine &What) {
  P.How = How;
  P.Func = Func;
  P.Args.assign(Args.begin(), Args.end());
  P.Cost = Cost + (How == Form::Whole ? 0 : ElseCost);
  P.What = What.str();
}

// Any allocation of uninitialised memory: by class where the size is known, else by size.
const char *Decider::decideTake(Plan &P, StringRef Bin, StringRef Any, Form How) const {
  if (std::optional<uint64_t> Bytes = P.Site.constantBytes()) {
    if (!hasClass(*Bytes))
      return NoClass;
    std::string What = ("allocation in line, class " + Twine(ngrt_class_of(*Bytes))).str();
    if (How == Form::Whole)
      take(P, How, Bin, {binOf(*Bytes), P.Site.Size}, TakeCost, What);
    else
      take(P, How, Bin, {binOf(*Bytes)}, TakeCost, What);
    return nullptr;
  }
  if (isa<ConstantInt>(P.Site.Size) && P.Site.Align)
    return "the alignment is not a constant power of two";
  if (P.Site.Align)
    return "size or alignment is not constant";
  take(P, How, Any, {P.Site.Size}, TakeAnyCost, "allocation in line, class by size");
  return nullptr;
}

const char *Decider::decideCalloc(Plan &P) const {
  std::optional<uint64_t> Bytes = P.Site.constantBytes();
  if (!Bytes)
    return "the size is not constant";
  if (!hasClass(*Bytes))
    return NoClass;
  if (*Bytes > Opts.MaxZero)
    return "too many bytes to zero in line";
  // Whole vectors: every class is a multiple of 16.
  uint64_t Zeroed = alignTo(*Bytes, 16);
  take(P, Form::TakeElse, "ngrt_fast_try_take_zeroed", {binOf(*Bytes), ConstantInt::get(I64, Zeroed)},
       TakeCost + Zeroed / 16 * ZeroCost, "allocation in line, zeroed, class " + Twine(ngrt_class_of(*Bytes)));
  return nullptr;
}

const char *Decider::decideRealloc(Plan &P) const {
  const AllocSite &S = P.Site;
  if (isa<ConstantPointerNull>(S.Pointer))
    return decideTake(P, "ngrt_fast_malloc_bin", "ngrt_fast_malloc", Form::Whole);
  if (const auto *C = dyn_cast<ConstantInt>(S.Size); C && C->isZero()) {
    take(P, Form::Whole, "ngrt_fast_realloc_zero", {S.Pointer}, GiveCost, "to zero bytes: free in line");
    return nullptr;
  }
  if (isNonZeroAt(S.Pointer, *S.Call))
    return "it resizes a block";
  std::optional<uint64_t> Bytes = S.constantBytes();
  if (Bytes && !hasClass(*Bytes))
    return NoClass;
  take(P, Form::TakeElse, "ngrt_fast_try_realloc", {S.Pointer, S.Size}, TakeNullCost + (Bytes ? TakeCost : TakeAnyCost),
       "of NULL: allocation in line");
  return nullptr;
}

// The class that a freed block has, if the program says so or its allocation is in sight.  Never trusted: the fast path
// compares it with the slab map's word.
static std::optional<uint64_t> bytesOfFreed(const AllocSite &S, const TargetLibraryInfo &TLI) {
  if (S.Size)
    return S.constantBytes();
  auto *Call = dyn_cast<CallBase>(getUnderlyingObject(S.Pointer));
  std::optional<AllocSite> Source = Call ? recognise(*Call, TLI) : std::nullopt;
  return Source && !Source->frees() ? Source->constantBytes() : std::nullopt;
}

const char *Decider::decideFree(Plan &P, const TargetLibraryInfo &TLI) const {
  const AllocSite &S = P.Site;
  if (isa<ConstantPointerNull>(S.Pointer))
    return "it frees NULL";
  std::optional<uint64_t> Bytes = bytesOfFreed(S, TLI);
  if (Bytes && !hasClass(*Bytes))
    return "the block is of a size without a class";
  if (Bytes) {
    std::string What = ("free in line, class " + Twine(ngrt_class_of(*Bytes))).str();
    if (S.Kind == SiteKind::Free)
      take(P, Form::Whole, "ngrt_fast_free_bin", {S.Pointer, binOf(*Bytes)}, GiveCost, What);
    else
      take(P, Form::GiveElse, "ngrt_fast_try_give_bin", {S.Pointer, binOf(*Bytes)}, GiveCost, What);
    return nullptr;
  }
  const char *What = "free in line";
  if (S.Kind == SiteKind::Free)
    take(P, Form::Whole, "ngrt_fast_free", {S.Pointer}, GiveCost, What);
  else if (S.Kind == SiteKind::Delete)
    take(P, Form::Whole, "ngrt_fast_delete", {S.Pointer}, GiveCost, What);
  else if (S.Kind == SiteKind::DeleteArray)
    take(P, Form::Whole, "ngrt_fast_delete_array", {S.Pointer}, GiveCost, What);
  else
    take(P, Form::GiveElse, "ngrt_fast_try_give", {S.Pointer}, GiveCost, What);
  return nullptr;
}

const char *Decider::decide(Plan &P, const TargetLibraryInfo &TLI) const {
  switch (P.Site.Kind) {
  case SiteKind::Malloc:
    return decideTake(P, "ngrt_fast_malloc_bin", "ngrt_fast_malloc", Form::Whole);
  case SiteKind::New:
    return decideTake(P, "ngrt_fast_new_bin", "ngrt_fast_new", Form::Whole);
  case SiteKind::NewArray:
    return decideTake(P, "ngrt_fast_new_array_bin", "ngrt_fast_new_array", Form::Whole);
  case SiteKind::Calloc:
    return decideCalloc(P);
  case SiteKind::Realloc:
    return decideRealloc(P);
  case SiteKind::PosixMemalign:
    if (const auto *A = dyn_cast<ConstantInt>(P.Site.Align); A && A->getZExtValue() % sizeof(void *) != 0)
      return "the alignment is invalid";
    [[fallthrough]];
  case SiteKind::Aligned:
  case SiteKind::OtherNew:
    return decideTake(P, "ngrt_fast_try_take_bin", "ngrt_fast_try_take", Form::TakeElse);
  case SiteKind::Free:
  case SiteKind::Delete:
  case SiteKind::DeleteArray:
  case SiteKind::OtherDelete:
    return decideFree(P, TLI);
  }
  llvm_unreachable("a kind of site without a decision");
}

//===-- Where it pays --===//

namespace {

// How hot the sites of one function are, and what speaks against any copy of the fast path there.
class Heat {
public:
  Heat(Function &F, FunctionAnalysisManager &FAM, ProfileSummaryInfo &PSI)
      : F(F), BFI(FAM.getResult<BlockFrequencyAnalysis>(F)), PSI(PSI), Size(F.getInstructionCount()) {}

  // Executions for each call of the function.
  double of(const BasicBlock &BB) const {
    double Entry = double(BFI.getBlockFreq(&F.getEntryBlock()).getFrequency());
    return Entry > 0 ? double(BFI.getBlockFreq(&BB).getFrequency()) / Entry : 1;
  }

  // Executions to compare with those of other functions.  Without a profile: small functions are called more often.
  // Loops do not count, since what LLVM guesses of them tells nothing of which site runs often in the whole program.
  double executions(const BasicBlock &BB) const {
    if (std::optional<uint64_t> Count = BFI.getBlockProfileCount(&BB))
      return double(*Count);
    return std::min(of(BB), 1.0) / std::sqrt(double(Size + 16));
  }

  const char *against(const CallBase &Call) const {
    const BasicBlock &BB = *Call.getParent();
    // Cold first: clang marks a cold function as one to be small, too.
    if (F.hasFnAttribute(Attribute::Cold) || F.getCallingConv() == CallingConv::Cold ||
        Call.hasFnAttr(Attribute::Cold) || PSI.isColdBlock(&BB, &BFI))
      return "the code is cold";
    if (F.hasOptSize() || shouldOptimizeForSize(&BB, &PSI, &BFI, PGSOQueryType::IRPass))
      return "the code is to be small";
    double H = of(BB);
    if (H * RareBelow < 1)
      return "the block runs rarely";
    // Constructors of globals; a loop in one may still be worth it.
    if (F.getSection() == ".text.startup" && H <= 1 && F.getName() != "main")
      return "the code runs once, before main";
    return nullptr;
  }

private:
  Function &F;
  BlockFrequencyInfo &BFI;
  ProfileSummaryInfo &PSI;
  unsigned Size;
};

} // namespace

//===-- Together --===//

// Makes one plan of the plans whose calls nextgen-batch has marked as one batch; those that are not all here stay
// apart.
static void joinBatches(SmallVectorImpl<Plan> &Plans) {
  using Key = std::pair<const Function *, unsigned>;
  MapVector<Key, SmallVector<std::pair<unsigned, Plan *>, 8>> Batches;
  for (Plan &P : Plans)
    if (std::optional<BatchMark> M = batchMark(*P.Site.Call))
      Batches[{P.Site.Call->getFunction(), M->Number}].push_back({M->Index, &P});
  SmallPtrSet<const Plan *, 8> Joined;
  for (auto &[Which, Members] : Batches) {
    llvm::sort(Members);
    Plan &First = *Members.front().second;
    const auto *Bin = dyn_cast<ConstantInt>(First.Args.front());
    if (!Bin || Members.size() != batchMark(*First.Site.Call)->Count)
      continue;
    First.How = Form::Batch;
    First.Bin = uint32_t(Bin->getZExtValue());
    First.Gain *= First.Cost * Members.size();
    First.Cost += ElseCost + NextCost * (Members.size() - 1);
    First.Gain /= First.Cost;
    for (auto &[Index, P] : drop_begin(Members)) {
      First.Followers.push_back(P->Site.Call);
      Joined.insert(P);
    }
  }
  erase_if(Plans, [&](const Plan &P) { return Joined.count(&P); });
}

//===-- How much of it --===//

namespace {

// Chooses among the plans of a module: those that gain most for each byte first, until the text has grown by
// Opts.Growth per cent.  What it has spent is written into the module, so that a second run (the plugin given twice, a
// link with LTO) does not spend it again.
class Budget {
public:
  Budget(Module &M, const LowerOptions &Opts) : M(M), Opts(Opts) {}
  // The plans that are in, in the order in which they came; the others go to Out.
  SmallVector<Plan, 0> choose(SmallVector<Plan, 0> Plans, SmallVectorImpl<Plan> &Out);

private:
  Module &M;
  const LowerOptions &Opts;
};

} // namespace

static constexpr StringLiteral GrowthRecord = "ngrt.growth";

// What a module may grow by in any case: a small one by a few fast paths, and one that has main, of which a program has
// only one, by as many as a small program needs.
static constexpr uint64_t GrowthFloor = 320, GrowthFloorOfMain = 3072;

// And a file of a few kernels, which is small, for its loops, since they are what it is there for.  A site counts as
// one of a loop's from so many executions for each call of its function on.
static constexpr uint64_t FewKernels = 2048, GrowthFloorOfLoops = 1024;
static constexpr double LoopHeat = 8;

// Bytes of x86-64 text for each instruction of IR that stands for code; on average, at -O2.
static constexpr uint64_t BytesPerInstruction = 5;

static uint64_t estimateText(const Module &M) {
  uint64_t Count = 0;
  for (const Function &F : M)
    if (!F.isDeclarationForLinker()) {
      uint64_t Here = 0;
      for (const Instruction &I : instructions(F))
        Here += !isa<PHINode, GetElementPtrInst, CastInst, AllocaInst, DbgInfoIntrinsic, UnreachableInst>(I) &&
                !I.isLifetimeStartOrEnd();
      // Of a function that many modules have, the linker keeps one: what grows in each may be paid for only once.
      Count += F.isDiscardableIfUnused() && !F.hasLocalLinkage() ? Here / 2 : Here;
    }
  return Count * BytesPerInstruction;
}

static uint64_t allowedGrowth(uint64_t Text, unsigned PerCent, bool HasMain) {
  return std::max(Text * PerCent / 100, HasMain ? GrowthFloorOfMain : GrowthFloor);
}

static uint64_t readNumber(const MDNode *Node, unsigned I) {
  return mdconst::extract<ConstantInt>(Node->getOperand(I))->getZExtValue();
}

SmallVector<Plan, 0> Budget::choose(SmallVector<Plan, 0> Plans, SmallVectorImpl<Plan> &Out) {
  if (Opts.Growth == 0)
    return Plans;
  uint64_t Text = 0, Spent = 0;
  const Function *Main = M.getFunction("main");
  NamedMDNode *Record = M.getNamedMetadata(GrowthRecord);
  if (Record) // One for each module that was linked into this one.
    for (const MDNode *Node : Record->operands()) {
      Text += readNumber(Node, 0);
      Spent += readNumber(Node, 1);
    }
  else
    Text = estimateText(M);
  uint64_t Allowed = allowedGrowth(Text, Opts.Growth, Main && !Main->isDeclaration());

  SmallVector<size_t, 0> Order(Plans.size());
  std::iota(Order.begin(), Order.end(), 0);
  auto Key = [&](size_t I) { return std::make_tuple(-Plans[I].Gain, -Plans[I].Heat, I); };
  sort(Order, [&](size_t A, size_t B) { return Key(A) < Key(B); });
  BitVector In(Plans.size());
  for (size_t I : Order) {
    const Plan &P = Plans[I];
    // The program's own word for it, __attribute__((hot)), is above any budget.
    if (!P.Site.Call->getFunction()->hasFnAttribute(Attribute::Hot)) {
      bool Kernel = P.Heat >= LoopHeat && Text <= FewKernels;
      uint64_t Most = Kernel ? std::max(Allowed, GrowthFloorOfLoops) : Allowed;
      if (Spent + P.Cost > Most)
        continue;
      Spent += P.Cost;
    }
    In.set(I);
  }

  LLVMContext &Ctx = M.getContext();
  auto Number = [&](uint64_t N) { return ConstantAsMetadata::get(ConstantInt::get(Type::getInt64Ty(Ctx), N)); };
  Record = M.getOrInsertNamedMetadata(GrowthRecord);
  Record->clearOperands();
  Record->addOperand(MDNode::get(Ctx, {Number(Text), Number(Spent)}));

  SmallVector<Plan, 0> Chosen;
  for (size_t I = 0; I < Plans.size(); ++I)
    (In[I] ? Chosen : Out).push_back(std::move(Plans[I]));
  return Chosen;
}

//===-- Rewriting --===//

namespace {

class Rewriter {
public:
  explicit Rewriter(Module &M) : Fast(M), Unlikely(MDBuilder(M.getContext()).createBranchWeights(1, (1u << 20) - 1)) {}

  void rewrite(Plan &P);
  void rewriteRequest(CallBase &Hint);
  void finish() { Fast.inlineAll(); }
  ArrayRef<Function *> touched() const { return Touched.getArrayRef(); }

private:
  void replaceWhole(Plan &P);
  void rewriteBatch(Plan &P);
  void guard(const AllocSite &Site, Value *Hit);

  FastPath Fast;
  MDNode *Unlikely;
  SmallSetVector<Function *, 16> Touched;
};

} // namespace

void Rewriter::rewrite(Plan &P) {
  Touched.insert(P.Site.Call->getFunction());
  if (P.How == Form::Whole)
    return replaceWhole(P);
  if (P.How == Form::Batch)
    return rewriteBatch(P);
  IRBuilder<> B(P.Site.Call);
  guard(P.Site, Fast.call(B, P.Func, P.args()));
}

// Takes all blocks of the batch where the first call stands; NULL for each where they are too few.
//
//   head:  top = bin's top if it holds enough;  br none, taken, all
//   taken: each block; the new top;             br all
//   all:   phis;                                the calls, each guarded by its block
void Rewriter::rewriteBatch(Plan &P) {
  CallBase *First = P.Site.Call;
  LLVMContext &Ctx = First->getContext();
  unsigned Count = P.Followers.size() + 1;
  IRBuilder<> B(First);
  Value *Bin = B.getInt32(P.Bin);
  Value *Top = Fast.call(B, "ngrt_fast_try_top", {Bin, B.getInt64(Count)});
  Value *None = B.CreateIsNull(Top, "ngrt.few");
  BasicBlock *Head = First->getParent(), *All = SplitBlock(Head, First);
  BasicBlock *Taken = BasicBlock::Create(Ctx, "ngrt.taken", Head->getParent(), All);
  DebugLoc Loc = First->getDebugLoc();
  Head->getTerminator()->eraseFromParent();
  B.SetInsertPoint(Head);
  B.SetCurrentDebugLocation(Loc);
  B.CreateCondBr(None, All, Taken, Unlikely);
  B.SetInsertPoint(Taken);
  SmallVector<Value *, 8> Blocks;
  for (unsigned I = 0; I < Count; ++I)
    Blocks.push_back(Fast.call(B, "ngrt_fast_nth", {Top, B.getInt64(I + 1)}));
  Fast.call(B, "ngrt_fast_lower_top", {Bin, Top, B.getInt64(Count)});
  B.CreateBr(All);
  B.SetInsertPoint(All, All->begin());
  for (Value *&Block : Blocks) {
    PHINode *Phi = B.CreatePHI(Block->getType(), 2);
    Phi->addIncoming(Constant::getNullValue(Block->getType()), Head);
    Phi->addIncoming(Block, Taken);
    Block = Phi;
  }
  guard(P.Site, Blocks.front());
  for (auto [Call, Block] : zip(P.Followers, drop_begin(Blocks))) {
    AllocSite Next;
    Next.Call = Call;
    guard(Next, Block);
  }
}

void Rewriter::rewriteRequest(CallBase &Hint) {
  Touched.insert(Hint.getFunction());
  IRBuilder<> B(&Hint);
  const auto *Bin = cast<ConstantInt>(Hint.getArgOperand(0));
  bool Large = Bin->getZExtValue() >= NGRT_BIN_LARGE;
  // Made where the program itself need not look at the number yet, which may be poison there: to branch on it would
  // promise that it is not.
  Value *Number = Hint.getArgOperand(1);
  if (!isGuaranteedNotToBeUndefOrPoison(Number))
    Number = B.CreateFreeze(Number);
  Fast.call(B, Large ? "ngrt_fast_request_large" : "ngrt_fast_request", {Hint.getArgOperand(0), Number});
  Hint.eraseFromParent();
}

void Rewriter::replaceWhole(Plan &P) {
  CallBase *Old = P.Site.Call;
  IRBuilder<> B(Old);
  CallBase *New = Fast.call(B, P.Func, P.args(), Old);
  if (!Old->getType()->isVoidTy()) {
    Old->replaceAllUsesWith(New);
    New->takeName(Old);
  }
  Old->eraseFromParent();
}

// Moves the call, invoke or not, into a block of its own that runs on a miss:
//
//   head:  hit is there;     br miss, else, join
//   else:  the call;         br join             (an invoke: its normal edge goes to join)
//   join:  phi of both;      what came after     (an invoke: br to what was its normal destination)
void Rewriter::guard(const AllocSite &Site, Value *Hit) {
  CallBase *Old = Site.Call;
  LLVMContext &Ctx = Old->getContext();
  IRBuilder<> B(Old);
  Value *Miss = B.CreateIsNull(Hit, "ngrt.miss");

  BasicBlock *Head = Old->getParent();
  Function *F = Head->getParent();
  BasicBlock *Else = BasicBlock::Create(Ctx, "ngrt.miss", F);
  BasicBlock *Join;
  DebugLoc Loc = Old->getDebugLoc();
  if (auto *Invoke = dyn_cast<InvokeInst>(Old)) {
    BasicBlock *Normal = Invoke->getNormalDest();
    Join = BasicBlock::Create(Ctx, "ngrt.join", F, Normal);
    Normal->replacePhiUsesWith(Head, Join);
    Invoke->getUnwindDest()->replacePhiUsesWith(Head, Else);
    Old->removeFromParent();
    Old->insertInto(Else, Else->end());
    Invoke->setNormalDest(Join);
    B.SetInsertPoint(Join);
    B.SetCurrentDebugLocation(Loc);
    B.CreateBr(Normal);
    B.SetInsertPoint(Head);
  } else {
    Join = SplitBlock(Head, Old->getNextNode());
    Join->setName("ngrt.join");
    Old->removeFromParent();
    Old->insertInto(Else, Else->end());
    B.SetInsertPoint(Else);
    B.SetCurrentDebugLocation(Loc);
    B.CreateBr(Join);
    Head->getTerminator()->eraseFromParent();
    B.SetInsertPoint(Head);
  }
  Else->moveBefore(Join);
  B.SetCurrentDebugLocation(Loc);
  BasicBlock *From = Head;
  if (Site.Kind == SiteKind::PosixMemalign) {
    From = BasicBlock::Create(Ctx, "ngrt.hit", F, Join);
    B.CreateCondBr(Miss, Else, From, Unlikely);
    B.SetInsertPoint(From);
    B.CreateStore(Hit, Old->getArgOperand(0));
    B.CreateBr(Join);
  } else {
    B.CreateCondBr(Miss, Else, Join, Unlikely);
  }
  markKept(*Old);
  if (Old->getType()->isVoidTy() || Old->use_empty())
    return;
  B.SetInsertPoint(Join, Join->begin());
  PHINode *Result = B.CreatePHI(Old->getType(), 2);
  Old->replaceAllUsesWith(Result);
  Result->takeName(Old);
  Result->addIncoming(Site.Kind == SiteKind::PosixMemalign ? ConstantInt::get(Old->getType(), 0) : Hit, From);
  Result->addIncoming(Old, Else);
}

// What inlining left to fold: the address of the thread cache, null checks of blocks that are there, empty blocks.
static void tidy(ArrayRef<Function *> Touched, FunctionAnalysisManager &FAM) {
  FunctionPassManager FPM;
  FPM.addPass(EarlyCSEPass(/*UseMemorySSA=*/true));
  FPM.addPass(JumpThreadingPass());
  FPM.addPass(InstCombinePass());
  FPM.addPass(SimplifyCFGPass(SimplifyCFGOptions().convertSwitchRangeToICmp(true)));
  for (Function *F : Touched) {
    FAM.invalidate(*F, PreservedAnalyses::none());
    PreservedAnalyses PA = FPM.run(*F, FAM);
    FAM.invalidate(*F, PA);
  }
}

//===-- The pass --===//

// Decides for every site of F; what is not to be done is told here, what may be done goes to Plans.
static void planFunction(Function &F, FunctionAnalysisManager &FAM, ProfileSummaryInfo &PSI, const KeepOut &Rules,
                         const LowerOptions &Opts, SmallVectorImpl<Plan> &Plans, SmallVectorImpl<CallBase *> &Hints) {
  const TargetLibraryInfo &TLI = FAM.getResult<TargetLibraryAnalysis>(F);
  Decider Decide(Opts, F.getContext());
  std::optional<Heat> Where; // costs an analysis, and most functions have no site
  for (Instruction &I : instructions(F)) {
    auto *Call = dyn_cast<CallBase>(&I);
    if (!Call)
      continue;
    if (const Function *Callee = Call->getCalledFunction(); Callee && Callee->getName() == RequestHint)
      Hints.push_back(Call);
    std::optional<AllocSite> Site = recognise(*Call, TLI);
    if (!Site)
      continue;
    if (!Where)
      Where.emplace(F, FAM, PSI);
    Plan P;
    P.Site = *Site;
    const char *Why = Rules.fromSite(*Site);
    if (!Why)
      Why = KeepOut::fromFunction(F);
    if (!Why && !Opts.Cold)
      Why = Where->against(*Call);
    if (!Why)
      Why = Decide.decide(P, TLI);
    if (Why) {
      remarkMissed(FAM.getResult<OptimizationRemarkEmitterAnalysis>(F), PassName, "Kept", *Call,
                   Twine("the call stays: ") + Why);
      continue;
    }
    P.Heat = Where->of(*Call->getParent());
    P.Gain = Where->executions(*Call->getParent()) / P.Cost;
    Plans.push_back(std::move(P));
  }
}

PreservedAnalyses LowerPass::run(Module &M, ModuleAnalysisManager &MAM) {
  FunctionAnalysisManager &FAM = MAM.getResult<FunctionAnalysisManagerModuleProxy>(M).getManager();
  ProfileSummaryInfo &PSI = MAM.getResult<ProfileSummaryAnalysis>(M);
  KeepOut Rules(M);
  SmallVector<Plan, 0> Plans, Out;
  SmallVector<CallBase *, 8> Hints;
  for (Function &F : M)
    if (!F.isDeclaration() && !F.hasAvailableExternallyLinkage())
      planFunction(F, FAM, PSI, Rules, Opts, Plans, Hints);
  if (Plans.empty() && Hints.empty())
    return PreservedAnalyses::all();

  joinBatches(Plans);
  Plans = Budget(M, Opts).choose(std::move(Plans), Out);
  auto ORE = [&](const Plan &P) -> OptimizationRemarkEmitter & {
    return FAM.getResult<OptimizationRemarkEmitterAnalysis>(*P.Site.Call->getFunction());
  };
  for (const Plan &P : Out)
    remarkMissed(ORE(P), PassName, "Kept", *P.Site.Call,
                 "the call stays: sites that gain more have used up the " + Twine(Opts.Growth) +
                     " % that the text may grow");
  for (const Plan &P : Plans) {
    remarkDone(ORE(P), PassName, P.Site.frees() ? "Free" : "Allocation", *P.Site.Call, P.What);
    for (const CallBase *Call : P.Followers)
      remarkDone(ORE(P), PassName, "Allocation", *Call, P.What);
  }

  Rewriter R(M);
  for (Plan &P : Plans)
    R.rewrite(P);
  for (CallBase *Hint : Hints)
    R.rewriteRequest(*Hint);
  R.finish();
  if (Function *Hint = M.getFunction(RequestHint); Hint && Hint->use_empty())
    Hint->eraseFromParent();
  tidy(R.touched(), FAM);
  return PreservedAnalyses::none();
}

static std::array<Param, 4> paramsOf(LowerOptions &O) {
  return {{{"max-class", &O.MaxClass, nullptr, NGRT_CLASSES - 1},
           {"max-zero", &O.MaxZero, nullptr, NGRT_SMALL_MAX},
           {"growth", &O.Growth, nullptr, 1000},
           {"cold", nullptr, &O.Cold, 0}}};
}

Expected<LowerOptions> LowerOptions::parse(StringRef Params) {
  LowerOptions Opts;
  if (Error E = parseParams(PassName, Params, paramsOf(Opts)))
    return std::move(E);
  return Opts;
}

void LowerPass::printPipeline(raw_ostream &OS, function_ref<StringRef(StringRef)> MapName) {
  OS << MapName(name());
  printParams(OS, paramsOf(Opts));
}

} // namespace ng
