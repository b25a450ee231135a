/*
 * note.h
 *		Checkpoints as C2SP signed notes: tlog-checkpoint and tlog-cosignature,
 *		Ed25519.  Reading borrows from the text it was given.
 *
 *		<origin> LF <size> LF <base64 root> LF LF
 *		(em dash) SP <key name> SP base64(key id (4) || signature) LF ...
 *
 * A log's signature (type 0x01) is over the text up to and with the LF before
 * the empty line.  A cosignature (type 0x04) is over "cosignature/v1" LF "time
 * <seconds>" LF and that text; its signature bytes are the time as 8 bytes, big
 * endian, and then the 64 of Ed25519.  A key id is the first 4 bytes of
 * SHA-256(name || LF || type || public key).
 */
#ifndef ECERT_CORE_NOTE_H
#define ECERT_CORE_NOTE_H

#include "core/merkle.h"
#include "core/package.h"

#define ECERT_SIGNATURE_SIZE 64	/* bytes of an Ed25519 signature, which is what notes carry */

#define ECERT_NOTE_MAX 4096		/* bytes of a note's text, and of a note that we write */
#define ECERT_NOTE_READ_MAX 131072	/* bytes of a note that we read: 16 signatures and more, of nearly 5 kB each */
#define ECERT_NOTE_LINE_MAX 512	/* bytes of one signature line */

typedef struct EcertNote
{
	EcertSlice	text;			/* what is signed: up to the empty line */
	EcertSlice	origin;
	uint64_t	size;
	uint8_t		root[ECERT_HASH_SIZE];
	EcertSlice	signatures;		/* the signature lines */
} EcertNote;

typedef struct EcertNoteSignature
{
	EcertSlice	name;			/* key name */
	uint8_t		key_id[4];
	uint8_t		bytes[72];		/* what follows the key id */
	size_t		size;			/* 64: a log's; 72: a cosignature */
} EcertNoteSignature;

/* True when an id can be a key name: not empty, no white space, no plus sign; other ids have no note */
extern bool ecert_note_name_valid(EcertSlice name);

/* Standard base64 with padding; decoding is strict.  ECERT_NOT_NOTE, ECERT_NO_SPACE */
extern void ecert_base64_put(EcertBuffer *out, EcertSlice bytes);
extern EcertCode ecert_base64_read(EcertSlice text, EcertBuffer *bytes);

/* Write the text that is signed: origin, size, root */
extern void ecert_note_put_text(EcertBuffer *out, EcertSlice origin, uint64_t size, const uint8_t *root);

/*
 * Write text, an empty line, and the log's signature line by key, an Ed25519
 * key: ECERT_KEY_ALG for others.  ECERT_NOT_NOTE when origin can be no key
 * name, ECERT_PROOF_RANGE when size is over ECERT_TREE_MAX, ECERT_NO_SPACE
 * when out is too small.
 */
extern EcertCode ecert_note_sign(EcertBuffer *out, EcertSlice origin, uint64_t size, const uint8_t *root, const EcertPrivateKey *key);

/*
 * Write the cosignature line of name over a note's text (ECERT_NOTE_MAX bytes
 * at most), at a time of 0 .. ECERT_TIME_MAX; the same codes, and
 * ECERT_OVERFLOW.
 */
extern EcertCode ecert_note_cosign(EcertBuffer *out, EcertSlice text, EcertSlice name, int64_t time, const EcertPrivateKey *key);

/*
 * Write the verifier key that C2SP tools are given: name, key id and base64 of
 * type and key, between plus signs; of a log (raw: 32 bytes of Ed25519), or of
 * who cosigns.
 */
extern EcertCode ecert_note_put_key(EcertBuffer *out, EcertSlice name, EcertSlice raw_key, bool cosigns);

/* Take a note apart; extension lines between root and empty line are kept in text.  ECERT_NOT_NOTE; ECERT_BEYOND_LIMITS when note or text are larger than above */
extern EcertCode ecert_note_parse(EcertSlice bytes, EcertNote *note, EcertError *error);

/*
 * Take the next signature line off *lines; false when there is none, or it is
 * not one.  Signatures of other sizes are of algorithms that are not known
 * here, and are passed over.
 */
extern bool ecert_note_next_signature(EcertSlice *lines, EcertNoteSignature *signature);

/* ECERT_OK when signature is name's log signature (64 bytes) over the note's text under a raw Ed25519 key of 32 bytes */
extern EcertCode ecert_note_verify(EcertSlice text, const EcertNoteSignature *signature, EcertSlice raw_key);

/* The same for a cosignature (72 bytes); *time is when it was made */
extern EcertCode ecert_note_verify_cosignature(EcertSlice text, const EcertNoteSignature *signature, EcertSlice raw_key, int64_t *time);

/* Does a cosignature's line name that raw Ed25519 key?  By its key id, whatever it has signed */
extern bool ecert_note_names_cosigner(const EcertNoteSignature *signature, EcertSlice raw_key);

#endif							/* ECERT_CORE_NOTE_H */
