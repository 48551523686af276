// SPDX-License-Identifier: BSD-2-Clause
'use strict';
// A name is looked up behind twelve computations (or, without an argument, with room in the pool).
const crypto = require('crypto');
const dns = require('dns');
const { note, write } = require('./truth.js');

const count = process.argv[2] === 'starved' ? 12 : 2;
const rounds = 100000;

setTimeout(() => {
  const start = process.hrtime.bigint();
  let left = count + 1;
  const done = (name) => () => {
    note({ name, start, length: process.hrtime.bigint() - start });
    if (!--left) write();
  };
  for (let i = 0; i < count; i++) crypto.pbkdf2('a', 'b', rounds, 64, 'sha512', done('pbkdf2'));
  dns.lookup('localhost', done('lookup'));
}, 100);
