"""How many decimals Swipe Games gives each currency, and balances written that way.

Currency list of 1.8.2. Fiat has up to 2 decimals; a fraction beyond is rounded away by the vendor
in a way that is not stated, so we round down ourselves before we send.
"""

from __future__ import annotations

from collections.abc import Mapping

from seamline.money import Amount

_FIAT = """
    AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD
    CAD CDF CHF CLP CNY COP CRC CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD
    GNF GTQ GYD HKD HNL HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KRW KWD KYD KZT
    LAK LBP LKR LRD LSL LYD MAD MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK
    NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS
    SRD SSP STN SZL THB TJS TMT TND TOP TRY TTD TWD TZS UAH UGX USD UYU UZS VES VND VUV WST XAF XCD
    XOF XPF YER ZAR ZMW
"""

_FIAT_WITHOUT_DECIMALS = "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX VND VUV XAF XOF XPF"

_CRYPTO = {
    "ADA": 6,
    "BCH": 8,
    "BNB": 8,
    "BTC": 8,
    "DOGE": 8,
    "DOT": 0,
    "ETH": 18,
    "LTC": 8,
    "LUNA": 0,
    "MATIC": 18,
    "SHIB": 0,
    "SOL": 9,
    "TON": 9,
    "TRX": 6,
    "UNI": 0,
    "USDC": 6,
    "USDT": 6,
    "XLM": 0,
    "XRP": 6,
}

_SUB_UNITS = {
    "mBCH": 5,
    "mBTC": 5,
    "uBTC": 2,
    "mETH": 15,
    "uETH": 12,
    "mLTC": 5,
    "milliTON": 6,
    "microTON": 3,
    "nanoTON": 0,
}

_VIRTUAL = {"FUN": 2, "DEMO": 2}

#: Decimals by case-sensitive code. Codes by agreement (`COP#`, `PHPT`) are the operator's own.
DECIMALS: Mapping[str, int] = (
    dict.fromkeys(_FIAT.split(), 2)
    | dict.fromkeys(_FIAT_WITHOUT_DECIMALS.split(), 0)
    | _CRYPTO
    | _SUB_UNITS
    | _VIRTUAL
)


def balance_text(balance: Amount) -> str:
    """The balance for the wire: rounded down to the vendor's decimals, never with a sign.

    Zeros beyond the decimals that people see are left out: `99.90`, `0.00010000`.
    """
    if balance.units < 0:  # The pattern has no sign, so an overdrawn player has nothing.
        return "0"
    digits = balance.currency.digits
    places = DECIMALS.get(balance.currency.code, digits)
    text = balance.text(places)
    if places <= digits:
        return text
    seen = len(text) - (places - digits)
    return text[: max(seen, len(text.rstrip("0")))].rstrip(".")
