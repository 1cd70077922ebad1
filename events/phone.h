/* phone.h - telephone numbers, prefixes and ids as the contract spells them. */
#ifndef CALLFOLD_EVENTS_PHONE_H
#define CALLFOLD_EVENTS_PHONE_H

#include "events/text.h"

/* ^\+[1-9][0-9]{1,14}$ */
bool phone_is_e164(struct text t);
/* ^\+[0-9]{1,15}$ : a prefix of a rate or of a destination block. */
bool phone_is_prefix(struct text t);
/* True when t, all digits, is an emergency number of any territory ("112").
 * "+112" and longer numbers that begin with one are not. Table:
 * emergency_table.c, generated from libphonenumber's short-number facts. */
bool phone_is_emergency(struct text t);
/* ^[A-Za-z0-9._:-]{1,64}$ : an id. */
bool id_is_valid(struct text t);
/* The first byte from at on that no id may hold; end without one. */
const char *id_end(const char *at, const char *end);
/* What was dialled, or who calls from outside: any string of at most DIALLED_MAX bytes. */
bool dialled_is_valid(struct text t);
/* A reason in words: 1 to 128 bytes. */
bool words_are_valid(struct text t);

#define ID_MAX      64
#define PHONE_MAX   16
#define DIALLED_MAX 64

#endif
