/*
 * vectors_note.h
 *		Published notes: the key and signature of golang.org/x/mod/sumdb/note,
 *		whose Ed25519 signature anybody can make again, and the example of C2SP
 *		tlog-cosignature, whose keys were not published.
 */
#ifndef ECERT_TEST_VECTORS_NOTE_H
#define ECERT_TEST_VECTORS_NOTE_H

/* PRIVATE+KEY+PeterNeumann+c74f20a3+..., PeterNeumann+c74f20a3+...: type 01 and seed or key, base64 */
#define GO_NAME "PeterNeumann"
#define GO_SECRET "AYEKFALVFGyNhPJEMzD1QIDr+Y7hfZx09iUvxdXHKDFz"
#define GO_PUBLIC "ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW"
#define GO_KEY_ID "c74f20a3"
#define GO_TEXT \
	"If you think cryptography is the answer to your problem,\n" \
	"then you don't know what your problem is.\n"
#define GO_LINE \
	"\xE2\x80\x94 PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM=\n"

#define C2SP_TEXT \
	"example.com/behind-the-sofa\n" \
	"20852163\n" \
	"CsUYapGGPo4dkMgIAUqom/Xajj7h2fB2MPA3j2jxq2I=\n"
#define C2SP_LOG_LINE \
	"\xE2\x80\x94 example.com/behind-the-sofa Az3grlgtzPICa5OS8npVmf1Myq/5IZniMp+ZJurmRDeOoRDe4URYN7u5/Zhcyv2q1gGzGku9nTo+zyWE+xeMcTOAYQ8=\n"
#define C2SP_COSIGNATURE_LINE \
	"\xE2\x80\x94 witness.example.com/w1 jWbPPwAAAABkGFDLEZMHwSRaJNiIDoe9DYn/zXcrtPHeolMI5OWXEhZCB9dlrDJsX3b2oyin1nPZqhf5nNo0xUe+mbIUBkBIfZ+qnA==\n"
#define C2SP_COSIGNATURE_TIME 1679315147

#endif							/* ECERT_TEST_VECTORS_NOTE_H */
