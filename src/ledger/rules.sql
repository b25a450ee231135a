-- What SQL asks of the rules (src/rules), which look the ledger up as the calling query sees it.

CREATE FUNCTION ecert.rule_problem(p ecert.package) RETURNS text
    LANGUAGE c STABLE STRICT PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'ecert_sql_rule_problem';
COMMENT ON FUNCTION ecert.rule_problem(ecert.package) IS 'internal: why a stored package breaks the rule of its kind, with keys as ecert.verify_registry() has found them in this session; NULL when it does not, or when that cannot be told here';

CREATE FUNCTION ecert.finding_of(p ecert.package) RETURNS text
    LANGUAGE c STABLE STRICT PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'ecert_sql_finding_of';
COMMENT ON FUNCTION ecert.finding_of(ecert.package) IS 'internal: what is wrong with the issuer of a stored package, with its times or with what it says, as of the checkpoint that covers it; NULL when nothing is, or when that cannot be told here';

CREATE FUNCTION ecert.is_checkable(p ecert.package) RETURNS boolean
    LANGUAGE c STABLE STRICT PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'ecert_sql_is_checkable';
COMMENT ON FUNCTION ecert.is_checkable(ecert.package) IS 'whether this node can check the rule of a package''s kind: false when the package names others that are of feeds that this node is not sent, because it filters';

CREATE FUNCTION ecert.check_policy(policy jsonb) RETURNS void
    LANGUAGE c IMMUTABLE STRICT PARALLEL SAFE AS 'MODULE_PATHNAME', 'ecert_sql_check_policy';
COMMENT ON FUNCTION ecert.check_policy(jsonb) IS 'raises what is wrong with a policy: a field that is missing, unknown or has no right value (EC003), one of a later version (EC006), and EC080 when it gives two coefficients for one source and unit (directly or through a unit), a factor that is not positive, or a required audit twice';

CREATE FUNCTION ecert.related(auditor text, applicant text, as_role text, at timestamptz) RETURNS boolean
    LANGUAGE c STABLE PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'ecert_sql_related';
COMMENT ON FUNCTION ecert.related(text, text, text, timestamptz) IS 'whether the newest relation package says that this auditor audits this applicant in this role at that time';

CREATE FUNCTION ecert.live_packages(applicant text, of_kind text, within tstzrange,
                                    OUT seq bigint, OUT period tstzrange, OUT hash bytea, OUT package ecert.package) RETURNS SETOF record
    LANGUAGE c STABLE PARALLEL RESTRICTED ROWS 12 AS 'MODULE_PATHNAME', 'ecert_sql_live_packages';
COMMENT ON FUNCTION ecert.live_packages(text, text, tstzrange) IS 'an applicant''s energy or product packages whose period lies within a range, in the order of time; of a package and those that replace it the newest, but none that is void or has a finding (docs/format.md, live). 22023 for another kind';

CREATE FUNCTION ecert.coverage_gaps(applicant text, of_kind text, within tstzrange) RETURNS tstzmultirange
    LANGUAGE c STABLE PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'ecert_sql_coverage_gaps';
COMMENT ON FUNCTION ecert.coverage_gaps(text, text, tstzrange) IS 'the parts of a range that an applicant''s live packages of a kind do not cover; empty when they cover all of it. Overlaps cannot be: admission refuses them. 22023 for another kind';

CREATE FUNCTION ecert.audits(applicant text, OUT hash bytea, OUT auditor text, OUT as_role text, OUT verdict text, OUT period tstzrange,
                             OUT issued_at timestamptz, OUT kind text, OUT first_seq bigint, OUT last_seq bigint, OUT void boolean, OUT overtaken boolean) RETURNS SETOF record
    LANGUAGE c STABLE PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'ecert_sql_audits';
COMMENT ON FUNCTION ecert.audits(text) IS 'internal: the audits of an applicant, one row per audited range; void when its key had ended before it was issued, overtaken when one of the audited packages has been replaced since';

CREATE FUNCTION ecert.is_void(hash bytea) RETURNS boolean
    LANGUAGE c STABLE STRICT PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'ecert_sql_is_void';
COMMENT ON FUNCTION ecert.is_void(bytea) IS 'whether the package with that hash does not count, because its key had ended before it was issued, as a node package that came later says; NULL when it is not on this ledger';

CREATE FUNCTION ecert.is_overtaken(audit bytea) RETURNS boolean
    LANGUAGE c STABLE STRICT PARALLEL RESTRICTED AS 'MODULE_PATHNAME', 'ecert_sql_is_overtaken';
COMMENT ON FUNCTION ecert.is_overtaken(bytea) IS 'internal: whether a package that the audit with that hash names has been replaced since by one outside of it; NULL when it is no audit on this ledger';
