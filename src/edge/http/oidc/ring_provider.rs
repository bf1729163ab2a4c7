//! What tokens are checked with: the cryptography that TLS uses here already. Nothing is signed.

use ::signature::{Error as SignatureError, Verifier};
use jsonwebtoken::crypto::{CryptoProvider, JwtSigner, JwtVerifier, KeyUtils};
use jsonwebtoken::errors::{Error, ErrorKind};
use jsonwebtoken::{Algorithm, AlgorithmFamily, DecodingKey, DecodingKeyKind, EncodingKey};
use ring::signature as with;
use ring::signature::{
    RsaParameters, RsaPublicKeyComponents, UnparsedPublicKey, VerificationAlgorithm,
};

/// Makes it the provider of the process.
pub(super) fn install() {
    if PROVIDER.install_default().is_err() {
        tracing::trace!("the provider is there already");
    }
}

static PROVIDER: CryptoProvider = CryptoProvider {
    signer_factory,
    verifier_factory,
    key_utils: KeyUtils::new_unimplemented(),
};

fn signer_factory(_: &Algorithm, _: &EncodingKey) -> Result<Box<dyn JwtSigner>, Error> {
    Err(ErrorKind::InvalidAlgorithm.into())
}

/// How a signature is checked.
#[derive(Clone, Copy)]
enum Check {
    Rsa(&'static RsaParameters),
    Other(&'static dyn VerificationAlgorithm),
}

struct RingVerifier {
    algorithm: Algorithm,
    check: Check,
    key: DecodingKey,
}

fn verifier_factory(
    algorithm: &Algorithm,
    key: &DecodingKey,
) -> Result<Box<dyn JwtVerifier>, Error> {
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the list is open, and what is left is not taken"
    )]
    let (family, check) = match algorithm {
        Algorithm::RS256 => rsa(&with::RSA_PKCS1_2048_8192_SHA256),
        Algorithm::RS384 => rsa(&with::RSA_PKCS1_2048_8192_SHA384),
        Algorithm::RS512 => rsa(&with::RSA_PKCS1_2048_8192_SHA512),
        Algorithm::PS256 => rsa(&with::RSA_PSS_2048_8192_SHA256),
        Algorithm::PS384 => rsa(&with::RSA_PSS_2048_8192_SHA384),
        Algorithm::PS512 => rsa(&with::RSA_PSS_2048_8192_SHA512),
        Algorithm::ES256 => (
            AlgorithmFamily::Ec,
            Check::Other(&with::ECDSA_P256_SHA256_FIXED),
        ),
        Algorithm::ES384 => (
            AlgorithmFamily::Ec,
            Check::Other(&with::ECDSA_P384_SHA384_FIXED),
        ),
        Algorithm::EdDSA => (AlgorithmFamily::Ed, Check::Other(&with::ED25519)),
        // What is left has a secret that both sides know.
        _ => return Err(ErrorKind::InvalidAlgorithm.into()),
    };
    if key.family() != family {
        return Err(ErrorKind::InvalidKeyFormat.into());
    }
    Ok(Box::new(RingVerifier {
        algorithm: *algorithm,
        check,
        key: key.clone(),
    }))
}

const fn rsa(parameters: &'static RsaParameters) -> (AlgorithmFamily, Check) {
    (AlgorithmFamily::Rsa, Check::Rsa(parameters))
}

impl Verifier<Vec<u8>> for RingVerifier {
    fn verify(&self, message: &[u8], signature: &Vec<u8>) -> Result<(), SignatureError> {
        let checked = match (self.key.kind(), self.check) {
            (DecodingKeyKind::RsaModulusExponent { n, e }, Check::Rsa(parameters)) => {
                RsaPublicKeyComponents { n, e }.verify(parameters, message, signature)
            }
            (DecodingKeyKind::SecretOrDer(bytes), Check::Other(algorithm)) => {
                UnparsedPublicKey::new(algorithm, bytes).verify(message, signature)
            }
            (DecodingKeyKind::RsaModulusExponent { .. } | DecodingKeyKind::SecretOrDer(_), _) => {
                return Err(SignatureError::new());
            }
        };
        checked.map_err(|_| SignatureError::new())
    }
}

impl JwtVerifier for RingVerifier {
    fn algorithm(&self) -> Algorithm {
        self.algorithm
    }
}
