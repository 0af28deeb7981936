// Ids of changes: of the trail's sequence, some at once where one command records many.
//
// The ids of a row's changes rise, whoever makes them. What a command changed is locked before its first trigger fires,
// so ids that are taken then are greater than those of every change before it, and smaller than those of every change
// after it. That ends with the command, and with any that a trigger runs between; what is left over then is not used. It
// also ends after ten milliseconds, so that ids and times go up together.
#pragma once

#include "pgext/server.h"

namespace vestige::native {

/// The next id of the sequence, for a change that this command made at a moment.
int64 next_id(Oid sequence, TimestampTz at);

/// Whether the sequence gave the last id so long after a moment that they do not go together; another one may be taken.
bool drawn_late(TimestampTz at);

/// None that is drawn from now on is less: where the sequence stands, or the next of those that were taken.
int64 first_to_come(Oid sequence);

/// Uses none of those that were taken: the transaction ends.
void end_ids();

}  // namespace vestige::native
