// SPDX-License-Identifier: BSD-2-Clause
'use strict';
// What monitorEventLoopDelay makes of a loop that is stalled now and then.
const { monitorEventLoopDelay } = require('perf_hooks');
const { busy, note, write } = require('./truth.js');

const RESOLUTION = 10;
const monitor = monitorEventLoopDelay({ resolution: RESOLUTION });
let seed = 1, left = 60;
const random = () => (seed = (seed * 48271) % 0x7fffffff) / 0x7fffffff;

setTimeout(() => {
  note({ name: 'enabled', at: process.hrtime.bigint() });
  monitor.enable();
  const step = () => {
    busy(random() < 0.2 ? 20 + random() * 60 : random() * 5);
    if (left--) return setTimeout(step, random() * 60);
    setTimeout(() => {
      monitor.disable();
      note({ name: 'delay', resolution: RESOLUTION, p99: monitor.percentile(99), max: monitor.max,
             count: monitor.count, at: process.hrtime.bigint() });
      write();
    }, 100);
  };
  setTimeout(step, 20);
}, 100);
