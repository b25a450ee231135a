-- Everything is checked again.
\echo 'The hub itself, if it is asked, by ecert.problems():'
SELECT p.issuer, p.kind, p.seq, p.problem FROM ecert.problems() AS p;
