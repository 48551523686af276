/* SPDX-License-Identifier: BSD-2-Clause */
#include "base/record.h"
