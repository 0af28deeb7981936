// The data keys of this transaction, one for each class of encrypted columns, each written down in vestige.encrypted_key for every
// recipient of its class before anything is encrypted under it. Twin: sql/postgres/install/encrypt.sql, whose functions get their tokens
// here, too, where the module is (vestige.native_token).
//
// A key lives in this process alone, as long as the part of the transaction that made it: with a subtransaction that is rolled
// back its wraps are gone, and so is it.
#pragma once

#include "pgext/row_text.h"
#include "pgext/server.h"

namespace vestige::native {

/// A class, as long as the session.
struct Class;

/// Registers what ends the keys. Once, when the module is loaded.
void watch_data_keys();

/// The class of a name; null: that is no name of one.
Class* class_named(const char* name, int length);

/// Who may write a wrap down where vestige.encrypted_key is not as the trail makes it. nobody: SQL may raise an error, of which the
/// application's write would fail. portable: the portable functions ask, which catch it.
enum class Elsewhere : bool { nobody, portable };

/// Whether values of a class can be encrypted here, from now on to the end of this subtransaction: else the portable functions see
/// what they can do. It may write a key down, and wait.
bool has_data_key(Class* one, Elsewhere elsewhere = Elsewhere::nobody);

/// The token of a value, in base64; no bytes: it could not be made.
///
/// place    of which column, as text (token_place of vestige/encryption/token.h); null: where that is not known
Text token_of(const Class* one, const char* place, const Text& value);

/// The token of a value for who does not know its column; null: values of that class cannot be encrypted here.
text* loose_token(const text* named, const text* value);

/// Whether a recipient's public half has a key that data keys are wrapped for here.
bool may_read(const char* recipient, Size size);

}  // namespace vestige::native
