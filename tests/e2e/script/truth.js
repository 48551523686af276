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

// What the scheduler gave this thread so far: ns on a CPU and waiting for one, ticks in user and in kernel mode.
const look = () => {
  const [cpu, wait] = fs.readFileSync('/proc/thread-self/schedstat', 'utf8').split(' ').map(Number);
  const stat = fs.readFileSync('/proc/thread-self/stat', 'utf8').split(') ')[1].split(' ');
  return { cpu, wait, user: Number(stat[11]), kernel: Number(stat[12]) };
};

const since = (before) => {
  const row = look();
  for (const key in row) row[key] -= before[key];
  return { ...row, tid: process.pid };
};

const timed = (name, act) => {
  const before = look();
  const start = process.hrtime.bigint();
  act();
  const length = process.hrtime.bigint() - start;
  note({ name, start, length, ...since(before) });
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

module.exports = { busy, look, note, run, since, timed, utilization, write };
