-- Two stories of a feed, of which the hub has another one than this node: its packages are fetched, and a node without a tree asks which is sealed.

CREATE FUNCTION ecert.fetch_stories(peer text) RETURNS bigint
    LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
#variable_conflict use_variable
DECLARE
    connection text := ecert.peer_connection(peer);
    other record;
    block record;
    came bigint;
    brought bigint := 0;
BEGIN
    FOR other IN
        -- the first package that is another one there, of each block that differs
        SELECT DISTINCT ON (d.issuer, d.kind) d.issuer, d.kind, t.seq, t.hash
          FROM ledger.difference d
         CROSS JOIN LATERAL jsonb_to_recordset(ecert.ask(connection, format(
               'SELECT p.seq, pg_catalog.encode(p.hash, ''hex'') AS hash FROM ledger.package p WHERE p.issuer = %L AND p.kind = %L AND p.seq BETWEEN %s AND %s',
               d.issuer, d.kind, d.first_seq / 1000 * 1000, d.first_seq / 1000 * 1000 + 999))) AS t (seq bigint, hash text)
          JOIN ledger.package o ON o.issuer = d.issuer AND o.kind = d.kind AND o.seq = t.seq AND o.hash <> decode(t.hash, 'hex')
         WHERE d.peer = peer AND d.gone_at IS NULL AND d.first_seq >= 0
         ORDER BY d.issuer, d.kind, t.seq
    LOOP
        -- once: what is wrong with it has been found then
        CONTINUE WHEN EXISTS (SELECT FROM ledger.quarantine q WHERE q.hash = decode(other.hash, 'hex'));
        came := 0;
        LOOP
            block := ecert.pull_block(connection, peer, jsonb_build_array(jsonb_build_object('place', 1, 'issuer', other.issuer, 'kind', other.kind, 'own_seq', other.seq + came - 1)));
            came := came + block.package_count;
            EXIT WHEN block.package_count = 0 OR came >= 1000;
        END LOOP;
        brought := brought + came;
    END LOOP;
    RETURN brought;
END
$$;
COMMENT ON FUNCTION ecert.fetch_stories(text) IS 'internal: where a feed here and at a peer differ, by ledger.difference, fetch the peer''s packages from the first other one on, 1000 or a few more, block by block, and judge them as from a peer: they are evidence, and what a checkpoint covers instead of those that are here. Nothing is fetched twice. Returns how many came';

CREATE FUNCTION ecert.ask_receipts(peer text) RETURNS bigint
    LANGUAGE sql VOLATILE SET search_path = pg_catalog, pg_temp
AS $$
    SELECT ecert.settle_by_receipts(ecert.ask(ecert.peer_connection(peer), format(
           'SELECT pg_catalog.encode(p.hash, ''hex'') AS hash, pg_catalog.encode(ecert.receipt(p.hash), ''hex'') AS receipt FROM ledger.package p
             WHERE p.hash = ANY (%L) AND ecert.sealed_by(p.issuer, p.kind, p.seq) <= (SELECT max(s.checkpoint_seq) FROM ledger.sealing s WHERE s.outcome = ''agrees'')', u.hashes)))
      FROM (SELECT array_agg(DISTINCT h.hash) FROM (SELECT o.other, o.held FROM ecert.unproved_stories() AS o LIMIT 16) AS s (other, held)
             CROSS JOIN LATERAL unnest(ARRAY[s.other, s.held]) AS h (hash)) AS u (hashes)
     WHERE u.hashes IS NOT NULL
$$;
COMMENT ON FUNCTION ecert.ask_receipts(text) IS 'internal: ask a peer for receipts of the packages of ecert.unproved_stories() and of those that this node holds in their place, up to 16 at once, and exchange what they prove; NULL when there is nothing to ask';
