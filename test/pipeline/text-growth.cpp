// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The text of ordinary C++ grows by at most 6 % at -O2, the hottest sites first, and by at most 0.5 % at -Os.
// RUN: clang++ -O2 -c -Dmain=shapes_main -o %t.without.o %S/Inputs/shapes.cpp
// RUN: clang++ -O2 -fpass-plugin=%plugin -Dmain=shapes_main -c -o %t.with.o %S/Inputs/shapes.cpp
// RUN: %python %inputs/text_growth.py llvm-size %t.without.o %t.with.o 1 6
// RUN: clang++ -Os -c -o %t.without.o %S/Inputs/shapes.cpp
// RUN: clang++ -Os -fpass-plugin=%plugin -c -o %t.with.o %S/Inputs/shapes.cpp
// RUN: %python %inputs/text_growth.py llvm-size %t.without.o %t.with.o 0 0.5
