-- A node makes its copy of the ledger, from the genesis package alone, and subscribes to the hub.
SELECT ecert.join_ledger(:'genesis', :'hub') \g /dev/null
