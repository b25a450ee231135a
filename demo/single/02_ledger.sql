-- Genesis with the policy, then every node with its public key, and who audits whom.

-- This one server plays all nodes: each has its own key file, and signs as itself. What the certifier seals is sealed with a key of its own.
CREATE FUNCTION demo.act_as(node text) RETURNS void LANGUAGE sql
AS $$ SELECT set_config('ecert.node', node, false), set_config('ecert.signing_key', current_setting('demo.keys') || '/' || node || '.pem', false),
             set_config('ecert.seal_key', current_setting('demo.keys') || '/seal.pem', false) $$;
SELECT set_config('demo.keys', :'keys', false) \g /dev/null

\set QUIET on
SELECT demo.act_as('certifier') \g /dev/null
SELECT ecert.create_ledger('demo.ecert.example', demo.policy('[{"as": "upstream", "count": 1}, {"as": "peer", "count": 1}]')) \g /dev/null

DO $$
DECLARE
    n record;
    public_key text;
BEGIN
    FOR n IN SELECT * FROM demo.node WHERE node <> 'certifier' ORDER BY node COLLATE "C" LOOP
        PERFORM demo.act_as(n.node);
        public_key := ecert.public_key();
        PERFORM demo.act_as('certifier');
        PERFORM ecert.enroll(n.node, n.roles, public_key, n.name);
    END LOOP;

    -- a supplier audits the plants it delivered to
    PERFORM ecert.relate(demo.slug(r.supplier), p.node, 'upstream')
       FROM (SELECT DISTINCT supplier, producer FROM demo.receipt) AS r JOIN demo.node p ON p.producer = r.producer;
    -- and a plant is audited by the three of its fuel that are nearest to it in size
    PERFORM ecert.relate(q.node, p.node, 'peer')
       FROM demo.node p CROSS JOIN LATERAL (
            SELECT o.node FROM demo.node o WHERE o.fuel = p.fuel AND o.node <> p.node
             ORDER BY abs(ln(o.output / p.output)) LIMIT 3) AS q;
END
$$;

SELECT p.kind AS "kind of package", count(*) AS packages FROM ledger.package p GROUP BY p.kind ORDER BY p.kind;
