"""Exports in the column names of further systems, written down before the lexicon had seen them: a measure of how it generalises."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tests.connectors.landed_truth import Expected
from tests.connectors.shop_exports import Cell, Line, Shop, comma, export

CELLS: dict[str, Cell] = {
    "order": lambda row: row.order,
    "customer": lambda row: row.customer,
    "email": lambda row: row.email,
    "name": lambda row: row.name,
    "country": lambda row: row.country,
    "channel": lambda row: row.channel,
    "code": lambda row: row.code,
    "title": lambda row: row.title,
    "category": lambda row: row.category,
    "quantity": lambda row: str(row.quantity),
    "line": lambda row: str(row.number * 10),
    "price.": lambda row: str(row.price),
    "price,": lambda row: comma(row.price),
    "gross.": lambda row: f"{row.price * row.quantity:.2f}",
    "gross,": lambda row: comma(row.price * row.quantity),
    "net,": lambda row: comma(row.total),
    "discount.": lambda row: str(row.discount),
    "discount,": lambda row: comma(row.discount),
    "cost,": lambda row: comma(row.cost),
    "line cost.": lambda row: f"{row.cost * row.quantity:.2f}",
    "shipping.": lambda row: str(row.shipping),
    "shipping,": lambda row: comma(row.shipping),
    "EUR": lambda row: "EUR",
    "BRL": lambda row: "BRL",
}


def _status(*words: str) -> Cell:
    known = dict(zip(("pending", "paid", "shipped", "delivered", "cancelled"), words, strict=True))
    return lambda row: known[row.status]


def _at(pattern: str) -> Cell:
    return lambda row: row.at.strftime(pattern)


def _paid(line: Line) -> str:
    return {"pending": "pending", "cancelled": "cancelled"}.get(line.status, "paid")


def _delivered(line: Line) -> str:
    return "delivered"


# system: file, delimiter, columns (a cell by its short name), what to expect
SHAPES: dict[str, tuple[str, str, dict[str, str | Cell], Expected]] = {
    "squarespace": ("orders.csv", ",", {
        "Order ID": "order", "Email": "email", "Financial Status": _status("PENDING", "PAID", "PAID", "PAID", "CANCELED"),
        "Paid at": _at("%Y-%m-%d %H:%M:%S -0500"), "Currency": "EUR", "Subtotal": "gross.", "Shipping": "shipping.", "Lineitem quantity": "quantity",
        "Lineitem name": "title", "Lineitem price": "price.", "Lineitem sku": "code", "Billing Name": "name", "Channel Name": "channel", "Shipping Country": "country",
    }, Expected(status=_paid, has_returns=False, has_discount=False, utc_offset=5)),
    "bigcommerce": ("orders-2025.csv", ",", {
        "Order ID": "order", "Order Status": _status("Awaiting Payment", "Awaiting Fulfillment", "Shipped", "Completed", "Cancelled"), "Order Date": _at("%d/%m/%Y"),
        "Order Time": _at("%H:%M:%S"), "Customer ID": "customer", "Customer Name": "name", "Customer Email": "email", "Ship to Country": "country", "Product ID": "code",
        "Product Name": "title", "Product Qty": "quantity", "Product Unit Price": "price.", "Product Total Price": "gross.", "Shipping Cost (inc tax)": "shipping.",
    }, Expected(has_returns=False, has_discount=False)),
    "wix": ("Orders.csv", ",", {
        "Order number": "order", "Date created": _at("%b %d, %Y"), "Time": _at("%H:%M"), "Contact email": "email", "Item": "title", "SKU": "code", "Qty": "quantity",
        "Price": "price.", "Fulfillment status": lambda row: "Fulfilled", "Payment status": _status("Unpaid", "Paid", "Paid", "Paid", "Canceled"),
        "Shipping rate": "shipping.", "Currency": "EUR", "Delivery country": "country",
    }, Expected(status=_paid, has_returns=False, has_discount=False)),
    "plenty": ("Auftragsexport.csv", ";", {
        "Auftrags-ID": "order", "Eingangsdatum": _at("%d.%m.%Y %H:%M:%S"), "Kontakt-ID": "customer", "Rechnung E-Mail": "email", "Herkunft": "channel",
        "Varianten-ID": "code", "Artikelname": "title", "Menge": "quantity", "Verkaufspreis brutto": "price,", "Einkaufspreis netto": "cost,",
        "Land Lieferadresse": "country", "Versandkosten brutto": "shipping,",
    }, Expected(status=_delivered, has_discount=False)),
    "oxid": ("bestellungen_2024.csv", "\t", {
        "Bestellnr.": "order", "Zeit": _at("%d.%m.%Y %H:%M"), "Kundennr.": "customer", "Name": "name", "Art.-Nr.": "code", "Titel": "title", "Anz.": "quantity",
        "E-Preis": "price,", "G-Preis": "gross,", "Zustand": _status("neu", "bezahlt", "verschickt", "abgeschlossen", "storniert"),
    }, Expected(has_discount=False)),
    "lightspeed": ("verkopen.csv", ";", {
        "Bonnummer": "order", "Datum": _at("%d-%m-%Y"), "Klant": "name", "Klantnr": "customer", "Artikelcode": "code", "Omschrijving": "title", "Artikelgroep": "category",
        "Aantal": "quantity", "Stuksprijs": "price,", "Korting": "discount,", "Totaal": "net,", "Inkoopprijs": "cost,",
    }, Expected(status=_delivered, has_clock=False)),
    "nuvemshop": ("vendas.csv", ";", {
        "Número do Pedido": "order", "E-mail": "email", "Data": _at("%d/%m/%Y"), "Status do Pedido": _status("Aberto", "Confirmado", "Enviado", "Entregue", "Cancelado"),
        "Moeda": "BRL", "Nome do Produto": "title", "SKU": "code", "Quantidade Comprada": "quantity", "Valor do Produto": "price,", "Valor do Frete": "shipping,",
        "País": "country", "Canal": "channel",
    }, Expected(currency="BRL", has_clock=False, has_discount=False)),
    "till_es": ("tickets.csv", ";", {
        "Ticket": "order", "Fecha": _at("%d/%m/%Y"), "Hora": _at("%H:%M"), "Cód. cliente": "customer", "Cód. artículo": "code", "Artículo": "title", "Familia": "category",
        "Uds.": "quantity", "P.V.P.": "price,", "Dto. €": "discount,", "Importe total": "net,", "Coste": "cost,",
    }, Expected(status=_delivered)),
    "erp_it": ("righe_ordini.csv", ";", {
        "Num. Ordine": "order", "Data": _at("%d/%m/%Y"), "Cod. Cliente": "customer", "Ragione Sociale": "name", "Cod. Art.": "code", "Descrizione Articolo": "title",
        "Qta": "quantity", "Prezzo Netto": "price,", "Importo Netto": "gross,", "Stato Ordine": _status("aperto", "confermato", "spedito", "evaso", "annullato"),
    }, Expected(has_clock=False, has_discount=False)),
    "sap": ("VBAK_VBAP.txt", "|", {
        "Verkaufsbeleg": "order", "Position": "line", "Angelegt am": _at("%d.%m.%Y"), "Auftraggeber": "customer", "Material": "code", "Materialkurztext": "title",
        "Auftragsmenge": "quantity", "Nettopreis": "price,", "Nettowert": "gross,", "Belegwährung": "EUR",
    }, Expected(status=_delivered, has_clock=False, has_discount=False)),
    "till_us": ("Sales Detail.csv", ",", {
        "Receipt": "order", "Business Date": _at("%Y/%m/%d"), "Member": "customer", "PLU": "code", "Description": "title", "Dept": "category", "Qty Sold": "quantity",
        "Retail": "price.", "Ext Retail": "gross.", "Ext Cost": "line cost.",
    }, Expected(status=_delivered, has_clock=False, has_discount=False)),
    "warehouse_dump": ("ecommerce_data.csv", ",", {
        "transaction_ref": "order", "txn_date": _at("%d-%b-%Y"), "cust_id": "customer", "prod_sku": "code", "prod_desc": "title", "units_ordered": "quantity",
        "price_per_item": "price.", "discount_amt": "discount.", "geo_country": "country", "marketing_source": "channel",
    }, Expected(status=_delivered, has_clock=False)),
}  # fmt: skip


def _maker(system: str) -> Callable[[Path, Shop], list[Path]]:
    name, delimiter, columns, expected = SHAPES[system]
    cells = {header: CELLS[cell] if isinstance(cell, str) else cell for header, cell in columns.items()}
    encoding = "cp1252" if delimiter == ";" else "utf-8"

    def make(folder: Path, truth: Shop) -> list[Path]:
        lines = truth.lines if expected.has_returns else truth.sold
        return [export(folder / name, cells, lines, delimiter=delimiter, encoding=encoding)]

    return make


MORE: dict[str, Callable[[Path, Shop], list[Path]]] = {system: _maker(system) for system in SHAPES}
