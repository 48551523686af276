// SPDX-License-Identifier: BSD-2-Clause
'use strict';
// What the scripts share: deliberate stalls one after the other, and the truth about them, written to $TRUTH as lines
// of `key=value` words. Times are CLOCK_MONOTONIC, ns.
const fs = require('fs');
const { performance } = require('perf_hooks');

const lines = [];
const GAP = 60; // ms between stalls

const busy = (ms) => {
  const end = performance.now() + ms;
  while (performance.now() < end);
};

const note = (row) => lines.push(Object.entries(row).map(([k, v]) => `${k}=${v}`).join(' '));

const write = () => fs.writeFileSync(process.env.TRUTH, lines.map((l) => l + '\n').join(''));

const timed = (name, act) => {
  const start = process.hrtime.bigint();
  act();
  note({ name, start, length: process.hrtime.bigint() - start });
};

// stalls: [name, function]; each runs in a turn of its own.
const run = (stalls, then) => {
  const next = () => {
    const stall = stalls.shift();
    if (!stall) return then ? then() : write();
    timed(...stall);
    setTimeout(next, GAP);
  };
  setTimeout(next, GAP);
};

// Since the loop began, by the runtime itself.
const utilization = (name, extra) => {
  const elu = performance.eventLoopUtilization();
  note({ name, idle: Math.round(elu.idle * 1e6), active: Math.round(elu.active * 1e6), ...extra });
};

module.exports = { busy, note, write, timed, run, utilization };
