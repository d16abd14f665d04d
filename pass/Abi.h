// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
//
// Abi.h: <ngrt/abi.h>, which is C, for the C++ of the pass: size classes and limits are those of the runtime by
// construction.  The pass calls only its arithmetic.

#ifndef NG_PASS_ABI_H
#define NG_PASS_ABI_H

#define _Static_assert static_assert
#define _Thread_local thread_local
extern "C" {
#include <ngrt/abi.h>
}
#undef _Static_assert
#undef _Thread_local

#endif
