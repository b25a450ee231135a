-- The hub subscribes to a node.
SELECT ecert.admit_node(:'node', :'connection') \g /dev/null
