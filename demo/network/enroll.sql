-- The certifier enrolls a node with the public key that it was given.
SELECT ecert.enroll(:'node', :'roles', :'public_key', :'name') \g /dev/null
