-- What Sabine says it burnt in January 2020 becomes a thousand cubic feet more or less, in the bytes of its package: in CBOR
-- the amount is 1a and four bytes, and the lowest bit of the last is flipped.
SELECT p.hash, position('\x1a'::bytea || int4send(l.quantity::integer) IN p.package::bytea) + 3 AS at
  FROM ledger.package p CROSS JOIN LATERAL ecert.energy_lines(p.package) AS l
 WHERE p.issuer = 'sabine' AND p.kind = 'energy' AND p.seq = 0 AND l.source = 'NG' \gset
SELECT demo.change_byte(:'hash', :at) \g /dev/null
