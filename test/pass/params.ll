; Parameters: what is printed can be given back; a bad one is named, with what there is.
; RUN: opt -passes='nextgen-hoist,nextgen-lower' -print-pipeline-passes -disable-output %s | FileCheck %s --check-prefix=DEFAULT
; RUN: opt -passes='nextgen-hoist<min-blocks=2>,nextgen-lower<max-class=7;growth=0;cold>' -print-pipeline-passes -disable-output %s | FileCheck %s --check-prefix=GIVEN
; RUN: opt -passes='nextgen-lower<max-class=7;max-zero=128;growth=0;cold>' -print-pipeline-passes -disable-output %s | FileCheck %s --check-prefix=BACK
; RUN: not opt -passes='nextgen-lower<max-klass=7>' -disable-output %s 2>&1 | FileCheck %s --check-prefix=NAME
; RUN: not opt -passes='nextgen-lower<max-class=40>' -disable-output %s 2>&1 | FileCheck %s --check-prefix=NUMBER
; RUN: not opt -passes='nextgen-lower<no-growth>' -disable-output %s 2>&1 | FileCheck %s --check-prefix=NOFLAG
; RUN: not opt -passes='nextgen-hoist<max-bytes=x>' -disable-output %s 2>&1 | FileCheck %s --check-prefix=TEXT
; RUN: opt -passes='nextgen-promote,nextgen-split,nextgen-batch' -print-pipeline-passes -disable-output %s | FileCheck %s --check-prefix=OTHERS
; RUN: opt -passes='nextgen-promote<max-bytes=64;max-frame=256;max-unknown=0;no-stack;no-loops>,nextgen-split<no-enabled;min-bytes=1;likely=1;min-work=1;no-grow>,nextgen-batch<max-blocks=2;ahead=0;no-trees>' -print-pipeline-passes -disable-output %s | FileCheck %s --check-prefix=BACK2
; RUN: not opt -passes='nextgen-promote<max-bytes=65537>' -disable-output %s 2>&1 | FileCheck %s --check-prefix=PROMOTE
; RUN: not opt -passes='nextgen-split<likely=101>' -disable-output %s 2>&1 | FileCheck %s --check-prefix=SPLIT
; RUN: not opt -passes='nextgen-batch<blocks=2>' -disable-output %s 2>&1 | FileCheck %s --check-prefix=BATCH
; RUN: not opt -passes='nextgen-hoist<likely=-1>' -disable-output %s 2>&1 | FileCheck %s --check-prefix=LIKELY
; OTHERS: nextgen-promote<max-bytes=1024;max-frame=4096;max-unknown=512;stack;loops>,nextgen-split<enabled;min-bytes=262144;likely=50;min-work=200;grow>,nextgen-batch<max-blocks=8;ahead=8;trees>
; BACK2: nextgen-promote<max-bytes=64;max-frame=256;max-unknown=0;no-stack;no-loops>,nextgen-split<no-enabled;min-bytes=1;likely=1;min-work=1;no-grow>,nextgen-batch<max-blocks=2;ahead=0;no-trees>
; PROMOTE: nextgen-promote: 'max-bytes=65537': max-bytes is a number from 0 to 65536
; SPLIT: nextgen-split: 'likely=101': likely is a number from 0 to 100
; BATCH: nextgen-batch: no parameter 'blocks=2'; there are max-blocks=N, ahead=N, trees, no-trees
; LIKELY: nextgen-hoist: 'likely=-1': likely is a number from 0 to 100
; DEFAULT: nextgen-hoist<enabled;min-blocks=16;max-bytes=1048576;likely=90;calls>,nextgen-lower<max-class=39;max-zero=128;growth=4;no-cold>
; GIVEN: nextgen-hoist<enabled;min-blocks=2;max-bytes=1048576;likely=90;calls>,nextgen-lower<max-class=7;max-zero=128;growth=0;cold>
; BACK: nextgen-lower<max-class=7;max-zero=128;growth=0;cold>
; NAME: nextgen-lower: no parameter 'max-klass=7'; there are max-class=N, max-zero=N, growth=N, cold, no-cold
; NUMBER: nextgen-lower: 'max-class=40': max-class is a number from 0 to 39
; NOFLAG: nextgen-lower: no parameter 'no-growth'
; TEXT: nextgen-hoist: 'max-bytes=x': max-bytes is a number from 0 to 1073741824
target triple = "x86_64-unknown-linux-gnu"
target datalayout = "e-m:e-p270:32:32-p271:32:32-p272:64:64-i64:64-i128:128-f80:128-n8:16:32:64-S128"
