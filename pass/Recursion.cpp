// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception

#include "Recursion.h"
#include "AllocSites.h"
#include "llvm/ADT/SCCIterator.h"
#include "llvm/Analysis/CallGraph.h"
#include "llvm/IR/InstIterator.h"
#include "llvm/IR/InstrTypes.h"
#include "llvm/IR/IntrinsicInst.h"

using namespace llvm;

namespace ng {

// Whether a call may lead to code that this module cannot see and that may call back.
static bool leavesSight(const CallBase &Call, const TargetLibraryInfo &TLI) {
  const Function *Callee = Call.getCalledFunction();
  if (!Callee)
    return !Call.isInlineAsm();
  LibFunc Func;
  return Callee->isDeclaration() && !Callee->isIntrinsic() && !Callee->hasFnAttribute(Attribute::NoCallback) &&
         (!TLI.getLibFunc(*Callee, Func) || callsBack(Func));
}

// Bottom-up: when a component is reached, what it calls is known.
void RecursionInfo::findOut() {
  IsKnown = true;
  CallGraph Graph(M);
  for (scc_iterator<CallGraph *> At = scc_begin(&Graph); !At.isAtEnd(); ++At) {
    Recursion Whole = At.hasCycle() ? Recursion::Certain : Recursion::None;
    for (const CallGraphNode *Node : *At) {
      Function *F = Node->getFunction();
      if (!F || F->isDeclaration() || Whole == Recursion::Certain)
        continue;
      for (Instruction &I : instructions(*F)) {
        auto *Call = dyn_cast<CallBase>(&I);
        if (!Call)
          continue;
        const Function *Callee = Call->getCalledFunction();
        bool Out =
            Callee && !Callee->isDeclaration() ? Known.lookup(Callee) != Recursion::None : leavesSight(*Call, TLI(*F));
        if (Out && !F->doesNotRecurse())
          Whole = Recursion::Unknown;
      }
    }
    for (const CallGraphNode *Node : *At)
      if (const Function *F = Node->getFunction())
        Known[F] = Whole;
  }
}

Recursion RecursionInfo::of(const Function &F) {
  if (F.doesNotRecurse())
    return Recursion::None;
  if (!IsKnown)
    findOut();
  return Known.lookup(&F);
}

} // namespace ng
