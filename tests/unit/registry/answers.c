/*
 * What was answered about names, for all that ask for names in tests: text, as ours.h and members.h
 * say.
 */
#include "unit/registry/members.h"

char answers[2048][64];
