/*
 * finding_table.h
 *		Every finding: its code, SQLSTATE, message, detail and hint, of which the
 *		last two may be none; %1 to %7 stand for its arguments.  Whoever includes
 *		this says what FINDING() makes of a row.
 */
FINDING(ECERT_SOUND, "00000", "nothing is wrong", NULL, NULL)

/* the package by itself: its form, its ledger, its subject */
FINDING(ECERT_BODY_INVALID, "EC003", "body is invalid at byte %1: %2", NULL, NULL)
FINDING(ECERT_BODY_RESERVED, "EC006", "body is not supported yet, at byte %1: %2", NULL, "It is reserved for a later version of the extension.")
FINDING(ECERT_OTHER_LEDGER, "EC016", "package is for another ledger",
		"It is for \"%1\", this ledger is \"%2\".", NULL)
FINDING(ECERT_SUBJECT_WRONG, "EC017", "subject of the %1 package is not the one its body is about",
		"Subject \"%2\", expected \"%3\".", NULL)
FINDING(ECERT_GENESIS_STRANGE, "EC003", "the genesis package does not introduce its own issuer as certifier",
		"Issuer \"%1\", audience \"%2\", body's node \"%3\", body's origin \"%4\".", NULL)
FINDING(ECERT_SIGNATURE_WRONG, "EC030", "signature of the package is wrong",
		"Issuer \"%1\", %2, seq %3, key %4.",
		"The bytes are not those that the issuer signed.")

/* issuer and key */
FINDING(ECERT_ISSUER_UNKNOWN, "EC010", "issuer \"%1\" is not enrolled",
		"No node package on the ledger \"%2\" introduces it.",
		"The certifier enrolls nodes with ecert.enroll().")
FINDING(ECERT_ISSUER_NOT_ENTITLED, "EC011", "node \"%1\" may not issue packages of kind %2",
		"Packages of kind %2 are issued by %3.",
		"The certifier gives roles with ecert.enroll().")
FINDING(ECERT_KEY_UNKNOWN, "EC012", "key is not one of node \"%1\"",
		"The package names key %2.",
		"Sign with an enrolled key, or ask the certifier for ecert.rotate_key().")
FINDING(ECERT_KEY_OF_OTHER_USE, "EC012", "key of node \"%1\" does not sign packages",
		"Key %2 is a %3 key of the node.",
		"Packages are signed with the key of ecert.signing_key, seals and cosignatures with keys of their own.")
FINDING(ECERT_ALGORITHM_WRONG, "EC014", "algorithm %1 is not the key's",
		"Key %2 of node \"%3\" is enrolled for %4.", NULL)
FINDING(ECERT_NODE_REVOKED, "EC015", "node \"%1\" is revoked",
		"Revoked from %2; the package says it was issued at %3.",
		"Ask the certifier, who can enroll the node again.")
FINDING(ECERT_KEY_ENDED, "EC013", "key of node \"%1\" is no longer in use",
		"Key %2 was replaced at %3; the package says it was issued at %4.",
		"Sign with the node's new key.")
FINDING(ECERT_KEY_NOT_YET, "EC013", "key of node \"%1\" is not in use yet",
		"Key %2 counts from %3; the package says it was issued at %4.", NULL)
FINDING(ECERT_TIME_FUTURE, "EC024", "issued_at is in the future",
		"The package says %1; the clock here is ecert.max_clock_skew (%2 s) or more behind that.",
		"Check the clocks of the issuer and of this server.")

FINDING(ECERT_TIME_AFTER_SEAL, "EC024", "issued_at is later than that of the checkpoint that covers the package",
		"The package says %1, the checkpoint %2; clocks may be %3 s apart.",
		"Check the clocks of the issuer and of the certifier.")

/* place in the feed */
FINDING(ECERT_KNOWN_ALREADY, "EC022", "package is on the ledger already", "%1", NULL)
FINDING(ECERT_SEQ_TAKEN, "EC021", "seq %1 of the feed is taken", "%2",
		"Sign again with the next seq and the present head as prev.")
FINDING(ECERT_SEQ_GAP, "EC020", "seq %1 leaves a gap in the feed", "%2",
		"Send the packages from seq %3 on first.")
FINDING(ECERT_FIRST_OF_OTHER_LEDGER, "EC016", "first package of the feed does not name this ledger's genesis",
		"It names %1, the genesis package is %2.", NULL)
FINDING(ECERT_NOT_AFTER_HEAD, "EC021", "package does not follow the head of its feed", "%1",
		"Sign again with the present head as prev.")
FINDING(ECERT_TIME_BACKWARDS, "EC023", "issued_at runs backwards in the feed",
		"The package says %1, the one before it %2.", NULL)
FINDING(ECERT_PERIOD_OVERLAP, "EC040", "period overlaps an earlier one of the feed, or runs backwards",
		"The period starts at %1, the feed already reaches %2.",
		"To correct a package, issue one with the same period that \"replaces\" it.")
FINDING(ECERT_PERIOD_NOT_OVER, "EC044", "the period is not over",
		"It ends at %1, the package says it was issued at %2.",
		"Sign it when the period is over.")
FINDING(ECERT_REPLACED_MISSING, "EC041", "the replaced package is not on the ledger", "It replaces %1.", NULL)
FINDING(ECERT_REPLACED_OF_OTHER_FEED, "EC041", "the replaced package is not an earlier one of its feed", "It replaces %1.", NULL)
FINDING(ECERT_REPLACED_ALREADY, "EC041", "the replaced package has been replaced already", "It replaces %1.",
		"Replace the newest package of the period.")
FINDING(ECERT_REPLACED_OTHER_PERIOD, "EC041", "the replaced package has another period", "It replaces %1.", NULL)

/* node, relation */
FINDING(ECERT_KEY_UNUSABLE, "EC095", "a key in the node package is not usable",
		"kid %1: %2, or the kid is not its RFC 9679 thumbprint.",
		"Use ecert.enroll() or ecert.rotate_key(), which take the key as PEM.")
FINDING(ECERT_KEY_HISTORY, "EC081", "node package of \"%1\" changes the history of its keys",
		"Key %2 is missing, or its times differ.",
		"A node package repeats every earlier key; an end may be added or moved earlier, never removed.")
FINDING(ECERT_KEY_TWICE, "EC095", "node package of \"%1\" lists a key twice", "Key %2.", NULL)
FINDING(ECERT_KEY_TAKEN, "EC095", "key of node \"%1\" is a key of node \"%2\" already", "Key %3.",
		"One public key belongs to one node; make a key pair of its own for this one.")
FINDING(ECERT_KEY_OUTLIVES, "EC081", "node package of \"%1\" revokes it and leaves a key in use",
		"Key %2 has no end, or one after %3.",
		"A revocation ends every key of the node at or before its effective time; ecert.revoke_node() does so.")
FINDING(ECERT_CERTIFIER_KEY_END, "EC081", "node package ends a key of the certifier in the past",
		"Key %1 ends at %2, the package says it was issued at %3.",
		"What the certifier has signed stays: end its key now, or later.")
FINDING(ECERT_CERTIFIER_ROLE, "EC081", "the certifier cannot give up its role", NULL, NULL)
FINDING(ECERT_SELF_AUDIT, "EC051", "node \"%1\" may not audit itself", NULL, NULL)
FINDING(ECERT_RELATION_PERIOD, "EC081", "the relation ends before it begins", NULL, NULL)
FINDING(ECERT_NOT_ENROLLED, "EC081", "a relation needs an enrolled auditor and an enrolled applicant",
		"\"%1\" is not enrolled as %2.",
		"Enroll the node with ecert.enroll() first.")

/* policy */
FINDING(ECERT_COEFFICIENT_TWICE, "EC080", "the policy contradicts itself",
		"Coefficient of source \"%1\" in unit \"%2\" is there twice.", NULL)
FINDING(ECERT_UNIT_TWICE, "EC080", "the policy contradicts itself",
		"Unit \"%1\" is there twice for base \"%2\".", NULL)
FINDING(ECERT_UNIT_TWO_WAYS, "EC080", "the policy contradicts itself",
		"Source \"%1\" in unit \"%2\" has more than one way to a coefficient.", NULL)
FINDING(ECERT_UNIT_FACTOR, "EC080", "the policy contradicts itself", "Unit \"%1\" has factor %2.", NULL)
FINDING(ECERT_ROLE_TWICE, "EC080", "the policy contradicts itself", "Audits as %1 are required twice.", NULL)
FINDING(ECERT_STATISTICS_UNIT, "EC080", "the policy contradicts itself",
		"Statistics by %1 cannot be made of packages by %2.", NULL)
FINDING(ECERT_OFFSETS_BACKWARDS, "EC080", "the policy contradicts itself",
		"An offset of the calendar begins at %1, not behind the one before it.", NULL)

/* point */
FINDING(ECERT_POINT_SERVICE, "EC043", "the register of points contradicts itself", "Point \"%1\" is in service from %2 to %3.", NULL)
FINDING(ECERT_POINT_REPLACES_ITSELF, "EC043", "the register of points contradicts itself", "Point \"%1\" replaces itself.", NULL)
FINDING(ECERT_POINT_TWICE, "EC043", "the register of points contradicts itself", "Point \"%1\" is listed twice in one package.",
		"A later package may list it again, and takes the place of what was said before.")

/* audit */
FINDING(ECERT_NOT_RELATED, "EC050", "node \"%1\" is not related to \"%2\" as %3",
		"The audit was issued at %4.",
		"The certifier relates auditors to applicants with ecert.relate().")
FINDING(ECERT_AUDITED_WRONG, "EC052", "the audited packages are not what the audit says",
		"Range %1 %2..%3: %4.", NULL)
FINDING(ECERT_AUDIT_POLICY_MISSING, "EC052", "the audit names a policy that is not on the ledger", "Policy %1.", NULL)
FINDING(ECERT_AUDIT_POLICY_PAST, "EC052", "the audit names another policy than the one in force",
		"Stated %1, in force %2.", "Audit again: tolerances and coefficients may be others now.")
FINDING(ECERT_AUDITED_ALREADY, "EC053", "these packages are audited by this node in this role already",
		"Audit %1.",
		"They can be audited again when one of them has been replaced.")

/* certificate, status, reward: the checkpoint that they rest on */
FINDING(ECERT_REST_NO_CHECKPOINT, "EC061", "the package rests on a checkpoint that is not on the ledger", "Checkpoint %1.", NULL)
FINDING(ECERT_REST_NO_SEALING, "EC061", "the package rests on a checkpoint that covers nothing",
		"Checkpoint %1 is not the last part of a complete sealing, or none of its heads advances.",
		"Run SELECT ecert.checkpoint(), and issue the package again.")
FINDING(ECERT_REST_NOT_NEWEST, "EC061", "the package rests on a checkpoint that was not the newest",
		"Checkpoint %1 is not the last one before the package came under a checkpoint.",
		"Run SELECT ecert.checkpoint(), and issue the package again.")
FINDING(ECERT_REST_TIME, "EC061", "the package was not issued in time after the checkpoint that it rests on",
		"It says %1, the checkpoint %2; the policy gives %3 s.",
		"Run SELECT ecert.checkpoint(), and issue the package again.")

/* certificate */
FINDING(ECERT_CERTIFICATE_LIVE, "EC060", "\"%1\" has a live certificate for this period",
		"Certificate %2.", "Withdraw it first with ecert.set_status().")
FINDING(ECERT_POLICY_MISSING, "EC061", "the certificate names a policy that is not on the ledger", "Policy %1.", NULL)
FINDING(ECERT_POLICY_NOT_IN_FORCE, "EC061", "the certificate names another policy than the one in force",
		"Stated %1, in force %2.", NULL)
FINDING(ECERT_FIGURE_DIFFERS, "EC061", "certificate differs from its recomputation in \"%1\"", "%2",
		"ecert.certify() computes certificates from the ledger.")
FINDING(ECERT_TERM_DIFFERS, "EC061", "certificate states another \"%1\" than its place in the feed, the registry and the policy give",
		"%2", NULL)
FINDING(ECERT_OBSTACLE, "EC062", "\"%1\" cannot be certified for %2", "%3.",
		"SELECT * FROM ecert.obstacles(...) lists what stands against it.")
FINDING(ECERT_COEFFICIENT_UNKNOWN, "EC042", "energy source \"%1\" in unit \"%2\" has no coefficient",
		"Applicant \"%3\" used it within %4.",
		"See ledger.coefficient; the certifier adds coefficients with ecert.set_policy().")
FINDING(ECERT_COEFFICIENT_NOT_IN_FORCE, "EC042", "energy source \"%1\" in unit \"%2\" has no coefficient",
		"The policy in force has neither this source and unit nor a unit multiple that leads to one.",
		"See ledger.coefficient; the certifier adds coefficients with ecert.set_policy().")
FINDING(ECERT_LINE_UNREADABLE, "EC003", "invalid ecert package: line %1 cannot be read", "%2.", NULL)
FINDING(ECERT_NUMBER_TOO_LARGE, "EC097", "a figure of the assessment is too large to be stated", NULL,
		"Figures are below 10^28; check the declared quantities and the policy's coefficients.")

/* status */
FINDING(ECERT_CERTIFICATE_MISSING, "EC063", "there is no such certificate", "Hash %1.", NULL)
FINDING(ECERT_STATUS_SUBJECT, "EC017", "subject of the status package is not the certificate's applicant",
		"Subject \"%1\", expected \"%2\".", NULL)
FINDING(ECERT_REPLACEMENT_MISSING, "EC063", "the certificate is replaced by none of this applicant", "Hash %1.", NULL)
FINDING(ECERT_STATUS_UNCHANGED, "EC064", "a certificate that is %1 cannot become %2", "It is %1 since %3.",
		"Withdrawn is final; issue a new certificate.")
FINDING(ECERT_OTHER_CERTIFICATE_LIVE, "EC060", "another certificate for this period is live", NULL, NULL)

/* reward */
FINDING(ECERT_REWARD_NO_AUDIT, "EC071", "the reward is for no audit of this auditor that counts",
		"Audit %1, auditor \"%2\".", NULL)
FINDING(ECERT_REWARD_ABSTENTION, "EC071", "the reward is for an audit that abstains", "Audit %1.", NULL)
FINDING(ECERT_REWARD_AMOUNT, "EC071", "the reward is not what the policy gives for this role",
		"Amount %1, the policy gives %2.", NULL)
FINDING(ECERT_REWARDED_ALREADY, "EC070", "this auditor has been rewarded for these packages in this role already",
		"Audit %1.",
		"A package that replaces one of them can be audited, and rewarded, again.")

/* checkpoint, witness */
FINDING(ECERT_CHECKPOINT_FAULT, "EC100", "%1", NULL, "ecert.checkpoint() makes checkpoints.")
FINDING(ECERT_SEAL_KEY_UNKNOWN, "EC100", "checkpoint is sealed with a key that is no seal key of \"%1\"", "Key %2.",
		"The certifier seals with the key of ecert.seal_key; ecert.rotate_key(..., use => 'seal') enrolls a new one.")
FINDING(ECERT_SEAL_KEY_TIME, "EC100", "checkpoint is sealed with a key that was not in use",
		"Key %1 counts from %2 to %3; the package says it was issued at %4.", "Seal with the key that is enrolled for seals now.")
FINDING(ECERT_CHECKPOINT_SIZE, "EC100", "checkpoint's size is %1, which its heads cannot make after %2", NULL,
		"ecert.checkpoint() makes checkpoints.")
FINDING(ECERT_PART_OF_NONE, "EC100", "checkpoint is part %1 of %2 of a sealing that has not begun",
		"A sealing begins with its part 1; none is incomplete here.", "ecert.checkpoint() makes all parts of a sealing at once.")
FINDING(ECERT_PART_OTHER, "EC100", "checkpoint is part %1 of %2 of a sealing, where part %3 of %4 has to come",
		"The sealing that checkpoint %5 began is not complete.", "ecert.checkpoint() makes all parts of a sealing at once, and completes one.")
FINDING(ECERT_PART_TIME, "EC100", "part %1 of a sealing was issued at another time than the part before it",
		"It says %2, the one before it %3.", "ecert.checkpoint() makes all parts of a sealing at once.")
FINDING(ECERT_PART_HEADS, "EC100", "part %1 of a sealing does not go on behind the heads of the part before it",
		"It begins with %2 of \"%3\", the one before it ended with %4 of \"%5\".", "Heads strictly increase from part to part.")
FINDING(ECERT_PARTS_MANY, "EC100", "a sealing has at most %2 parts", "The checkpoint is part of one of %1.", "ecert.checkpoint() makes checkpoints.")
FINDING(ECERT_HEADS_BEYOND, "EC100", "checkpoint covers more than a ledger can have", "With head %1 of \"%2\", seq %3, its heads make more than %4 packages.",
		"ecert.checkpoint() makes checkpoints.")
FINDING(ECERT_COVERED_MISSING, "EC100", "checkpoint %1 %2 %3 of \"%4\", which is not on the ledger", NULL, NULL)
FINDING(ECERT_HEAD_NOT_AHEAD, "EC100",
		"checkpoint's head %1 of \"%2\" does not advance (it names seq %3, an earlier checkpoint %4)", NULL, NULL)
FINDING(ECERT_SIZE_DIFFERS, "EC100", "checkpoint's size is %1, the packages it covers make %2", NULL, NULL)
FINDING(ECERT_ROOT_DIFFERS, "EC100",
		"checkpoint's root is not that of the packages it covers (signed %1, computed %2)", NULL, NULL)
FINDING(ECERT_WITNESS_NO_CHECKPOINT, "EC106", "witness names a checkpoint that is not on the ledger", "Checkpoint %1.", NULL)
FINDING(ECERT_WITNESS_OTHER_ROOT, "EC106", "witness states another size or root than its checkpoint",
		"Size %1, root %2; the checkpoint has %3 and %4.", NULL)
FINDING(ECERT_WITNESS_COSIGNATURE, "EC106", "witness's cosignature is wrong", NULL,
		"A node cosigns with a witness key that it is enrolled with: ecert.witness_key there, ecert.rotate_key(..., use => 'witness') at the certifier.")

/* from peers: what waits or was refused where it came */
FINDING(ECERT_PACKAGE_MALFORMED, "EC001", "invalid ecert package: %1", "At byte %2 of the package%3.", NULL)
FINDING(ECERT_PACKAGE_TOO_LARGE, "EC002", "invalid ecert package: %1", "At byte %2 of the package%3.", NULL)
FINDING(ECERT_BODY_REFUSED, "EC003", "invalid ecert body: %1", "At byte %2 of the body%3.", NULL)
FINDING(ECERT_PACKAGE_RESERVED, "EC006", "unsupported ecert package: %1", "At byte %2 of the package%3.",
		"It is reserved for a later version of the extension.")
FINDING(ECERT_QUANTITY_NEGATIVE, "EC004", "invalid ecert body: %1", "At byte %2 of the body%3.", NULL)
FINDING(ECERT_GENESIS_OF_OTHER_LEDGER, "EC016", "genesis package of another ledger", NULL, NULL)
FINDING(ECERT_TWO_STORIES, "EC021", "the issuer has signed two packages with one seq", "Issuer \"%1\", %2, seq %3.", NULL)
FINDING(ECERT_OTHER_SIGNATURE, "EC022", "the same statement is on the ledger with another signature",
		"Issuer \"%1\", %2, seq %3.", NULL)
FINDING(ECERT_SEQ_NOT_COME, "EC020", "seq %1 of the feed has not come yet", "The feed ends at seq %2.", NULL)
FINDING(ECERT_NAMED_NOT_COME, "EC020", "what the package names has not come yet", NULL, NULL)
FINDING(ECERT_NAMED_OTHER_STORY, "EC021", "what the package names is of another story than this ledger's", "It names %1.", NULL)
FINDING(ECERT_NOT_STORED, "EC092", "the package was not stored",
		"A row of ledger.package that has been changed holds its hash or its place, or a trigger or rule suppresses it.", NULL)
