"""An RSA key pair that everybody knows, made for the demo and the tests, and the options with it.

The line before each key tells `seamline doctor` that it is of a sandbox; readers of PEM skip it.
"""

from __future__ import annotations

from seamline.dialects.dialect import Secret
from seamline.dialects.nagagames.options import Options

PUBLIC_KEY = """\
sandbox_nagagames_public_key
-----BEGIN PUBLIC KEY-----
MIGfMA0GCSqGSIb3DQEBAQUAA4GNADCBiQKBgQDuzSezwpgDIJv2NU+VkqquTE6/
s+vuk3oAziHHu6rwai4RUz7MVGaNCjpXIV8hRaYdhkIxynLK36zluFZJZbBt8YGK
8sXL6LvYv7yWCY81JAKFBKm3fquKrZBChZehXLmiGsMBt9ElywuDpVtExK+fuvuc
JuO49kuohrmtij6U7QIDAQAB
-----END PUBLIC KEY-----
"""

PRIVATE_KEY = """\
sandbox_nagagames_private_key
-----BEGIN PRIVATE KEY-----
MIICeAIBADANBgkqhkiG9w0BAQEFAASCAmIwggJeAgEAAoGBAO7NJ7PCmAMgm/Y1
T5WSqq5MTr+z6+6TegDOIce7qvBqLhFTPsxUZo0KOlchXyFFph2GQjHKcsrfrOW4
VkllsG3xgYryxcvou9i/vJYJjzUkAoUEqbd+q4qtkEKFl6FcuaIawwG30SXLC4Ol
W0TEr5+6+5wm47j2S6iGua2KPpTtAgMBAAECgYEAiDYRPWHz32TMUUXbXU/Jd54j
FQoFu5H3d1ocvpb3TCbknBFFsrs5u51n5actYgceV5zrSQdXLw0iy+23mioc1Z9I
xe5Eb1Fg8qSWs94M3RxP4rWBi47su+cj5ttvXrR0zkAb0ZqNuCsErtfh8zvHJwMS
p8CUPZR+MJ0aMm1eXQECQQD+vywBhh/erUO5CyqZ0QIIqaiN2THqk15NQpEUvOcJ
KwWOPZHg8bG0muDJx91jSw1kP3yYWxDTLGueoLiIcTjNAkEA7/nmzclBafGgstyW
c6s43W6zM3CnNrXMxqUCBYAOdvq572i0J5OuC8A9oyCbPKuKh8G0rNERmD3liryv
+uFMoQJBAOzaxomsMRmTM3JrRXK6eA+h3wv0M4sM9hMTn10OvikyDPpRmL7zOezY
S8SQxfC6KXtZ4/isQxp1JKLagHir/MkCQQDGjw2r5AQd9vGyTNan6lpozXm07FdO
62n+SvW7O1O8moRSVV4LCSSPUIcvfIE11/INlfc6rtpSD5ToEGvDt7tBAkB7ONiF
5AW+Qln1mIUlvwWKb0Bv5AT1Z4Z+rS0jUXfwJeL9tV9DQo1EhPObFnik2YY+vhzI
/MFLLNV6qJcODN6u
-----END PRIVATE KEY-----
"""


def sandbox() -> Options:
    """Made-up keys and codes, for the demo and the tests; every call of the vendor is open."""
    return Options(
        group_code="dapd",
        brand_code="dodo",
        public_keys=(Secret(PUBLIC_KEY),),
        private_key=Secret(PRIVATE_KEY),
        api_key=Secret("sandbox_nagagames_api_key"),
        play_url="https://{game}.sandbox.invalid",
        player_token_call=True,
    )
