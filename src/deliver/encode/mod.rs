//! One file a receiver: from the notice to the bytes it takes. What is withheld is not to be encoded;
//! where it is nevertheless, it reads as an update.
