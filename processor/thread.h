/* thread.h - threads beside the main one, whose signals stay its own: they shall
 * interrupt its waits. */
#ifndef CALLFOLD_PROCESSOR_THREAD_H
#define CALLFOLD_PROCESSOR_THREAD_H

#include <pthread.h>

/* Aborts when there is no room for one. To be joined. */
pthread_t thread_start(void *(*run)(void *context), void *context);

#endif
