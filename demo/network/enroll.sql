-- The certifier enrolls a node with the public keys that it was given.
SELECT ecert.enroll(:'node', :'roles', :'public_key', :'name', nullif(:'witness_key', '')) \g /dev/null
