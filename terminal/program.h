/* program.h - what all programs of the house have in common. */
#ifndef CALLFOLD_TERMINAL_PROGRAM_H
#define CALLFOLD_TERMINAL_PROGRAM_H

#define CALLFOLD_VERSION "0.1.0"
#define EXIT_DIFFERS     1 /* a difference was found; every other exit code is one of sysexits.h */

#endif
