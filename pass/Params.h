// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Params.h: parameters of a pass in -passes='name<a=1;no-b>'.  One table a pass; parser and printer both read it, so
// that what -print-pipeline-passes prints can be given back.

#ifndef NG_PASS_PARAMS_H
#define NG_PASS_PARAMS_H

#include "llvm/ADT/ArrayRef.h"
#include "llvm/ADT/StringRef.h"
#include "llvm/Support/Error.h"
#include "llvm/Support/raw_ostream.h"

namespace ng {

// Exactly one of Number (name=N, from 0 to Max) and Flag (name, no-name) is set.
struct Param {
  llvm::StringLiteral Name;
  unsigned *Number = nullptr;
  bool *Flag = nullptr;
  unsigned Max = 0;
};

inline llvm::Error parseOne(llvm::StringRef Pass, llvm::StringRef Text, llvm::ArrayRef<Param> Table) {
  auto [Name, Value] = Text.split('=');
  bool HasValue = Text.contains('=');
  for (const Param &P : Table) {
    if (P.Flag && !HasValue && (Name == P.Name || (Name.starts_with("no-") && Name.drop_front(3) == P.Name))) {
      *P.Flag = Name == P.Name;
      return llvm::Error::success();
    }
    if (!P.Number || Name != P.Name)
      continue;
    unsigned N;
    if (Value.getAsInteger(10, N) || N > P.Max)
      return llvm::createStringError(
          llvm::inconvertibleErrorCode(),
          (Pass + ": '" + Text + "': " + P.Name + " is a number from 0 to " + llvm::Twine(P.Max)).str());
    *P.Number = N;
    return llvm::Error::success();
  }
  std::string Known;
  for (const Param &P : Table)
    Known += (Known.empty() ? "" : ", ") + (P.Number ? P.Name + "=N" : P.Name + ", no-" + P.Name).str();
  return llvm::createStringError(llvm::inconvertibleErrorCode(),
                                 (Pass + ": no parameter '" + Text + "'; there are " + Known).str());
}

inline llvm::Error parseParams(llvm::StringRef Pass, llvm::StringRef Text, llvm::ArrayRef<Param> Table) {
  while (!Text.empty()) {
    llvm::StringRef One;
    std::tie(One, Text) = Text.split(';');
    if (llvm::Error E = parseOne(Pass, One, Table))
      return E;
  }
  return llvm::Error::success();
}

inline void printParams(llvm::raw_ostream &OS, llvm::ArrayRef<Param> Table) {
  OS << '<';
  for (const Param &P : Table) {
    if (&P != Table.begin())
      OS << ';';
    if (P.Number)
      OS << P.Name << '=' << *P.Number;
    else
      OS << (*P.Flag ? "" : "no-") << P.Name;
  }
  OS << '>';
}

} // namespace ng

#endif
