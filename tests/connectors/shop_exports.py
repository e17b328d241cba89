"""One small shop, exported the way shops export: many languages, notations and shapes of the same truth."""

from __future__ import annotations

import csv
import datetime as dt
import io
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

FIRST = dt.datetime(2024, 1, 3, 9, 5)  # noqa: DTZ001 - exports carry naive local times
NAMES = [
    "Jürgen Groß",
    "Zoë Müller",
    "Änne Köhler",
    "Søren Åkesson",
    "Maria d'Angelo",
    "François Lefèvre",
    "Inês Gonçalves",
]
GOODS = ["Tasse Übergröße", "Kissen, rot", "Löffel-Set", 'Brett 12"', "Kräutertee", "Fußmatte", "Öllampe", "Vase"]
COUNTRIES = ["Deutschland", "Österreich", "Schweiz", "Frankreich"]
STATUSES = ["pending", "paid", "shipped", "delivered", "delivered", "delivered", "delivered", "cancelled"]


@dataclass(frozen=True)
class Line:
    """One line of the export: an order line, or a return of one with a negative quantity."""

    order: str
    at: dt.datetime
    status: str
    customer: str
    email: str
    name: str
    country: str
    channel: str
    shipping: Decimal
    code: str
    title: str
    category: str
    quantity: int
    price: Decimal
    discount: Decimal
    cost: Decimal
    number: int

    @property
    def total(self) -> Decimal:
        return self.quantity * self.price - self.discount


@dataclass
class Shop:
    """The truth: lines sold and lines that came back."""

    lines: list[Line] = field(default_factory=list)

    @property
    def sold(self) -> list[Line]:
        return [line for line in self.lines if line.quantity > 0]

    @property
    def returned(self) -> list[Line]:
        return [line for line in self.lines if line.quantity < 0]


def shop(orders: int = 300, *, seed: int = 5, returns: bool = True, short: bool = False) -> Shop:
    """Draw a shop; `short` keeps all days at or below 12, so that day and month cannot be told apart."""
    chance = random.Random(seed)
    goods = [
        (
            f"AR-{1000 + 7 * i}",
            f"{GOODS[i % len(GOODS)]} {i // len(GOODS) + 1}",
            f"Gruppe {i % 5}",
            Decimal(chance.randint(299, 189_900)) / 100,
        )
        for i in range(48)
    ]
    people = [
        (f"{20000 + 3 * i}", f"kunde{i}@beispiel.de", f"{chance.choice(NAMES)} {i}", chance.choice(COUNTRIES))
        for i in range(160)
    ]
    made = Shop()
    at = FIRST
    for number in range(orders):
        at += dt.timedelta(minutes=chance.randint(30, 2400))
        if short and at.day > 12:
            at = (at.replace(day=1) + dt.timedelta(days=32)).replace(day=1)
        person = chance.choice(people)
        shipping = Decimal(chance.choice(["0.00", "4.90", "4.90", "6.50"]))
        order, status, channel = (
            f"B{50_000 + number}",
            chance.choice(STATUSES),
            chance.choice(["Google Ads", "Newsletter", "Direkt", "Instagram"]),
        )
        for position, (code, title, category, price) in enumerate(
            chance.sample(goods, chance.choice([1, 1, 2, 2, 3, 4])), 1
        ):
            quantity = chance.choice([1, 1, 1, 2, 3, 6])
            discount = (price * quantity / 10).quantize(Decimal("0.01")) if chance.random() < 0.2 else Decimal(0)
            made.lines.append(Line(order, at, status, *person[:3], person[3], channel, shipping, code, title, category, quantity, price, discount,
                                   (price * Decimal("0.6")).quantize(Decimal("0.01")), position))  # fmt: skip
    if returns:
        back = [line for line in made.lines if line.status == "delivered" and line.discount == 0]
        for line in chance.sample(back, max(3, len(back) // 12)):
            made.lines.append(Line(**{**{name: getattr(line, name) for name in line.__dataclass_fields__}, "quantity": -1, "number": line.number + 10,
                                      "shipping": Decimal(0)}))  # fmt: skip
    return made


Cell = Callable[[Line], str]


def comma(value: Decimal, *, group: str = ".") -> str:
    text = f"{value:,.2f}"
    return text.replace(",", "\0").replace(".", ",").replace("\0", group)


def point(value: Decimal) -> str:
    return f"{value:,.2f}"


def export(path: Path, columns: dict[str, Cell], lines: list[Line], *, delimiter: str = ",", encoding: str = "utf-8", header: bool = True,
           quoting: int = csv.QUOTE_MINIMAL, before: str = "") -> Path:  # fmt: skip
    """Write the lines with these columns."""
    text = io.StringIO(newline="")
    writer = csv.writer(text, delimiter=delimiter, quoting=quoting, lineterminator="\r\n")
    if header:
        writer.writerow(columns)
    writer.writerows([cell(line) for cell in columns.values()] for line in lines)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes((before + text.getvalue()).encode(encoding))
    return path


def german(folder: Path, truth: Shop) -> list[Path]:
    words = {
        "pending": "offen",
        "paid": "bezahlt",
        "shipped": "versendet",
        "delivered": "zugestellt",
        "cancelled": "storniert",
    }
    columns: dict[str, Cell] = {
        "Belegnr.": lambda row: row.order, "Bestelldatum": lambda row: row.at.strftime("%d.%m.%Y %H:%M"), "Kd-Nr": lambda row: row.customer,
        "Kundenname": lambda row: row.name, "E-Mail": lambda row: row.email, "Lieferland": lambda row: row.country,
        "Artikel-Nr": lambda row: row.code, "Artikelbezeichnung": lambda row: row.title, "Warengruppe": lambda row: row.category,
        "Stückzahl": lambda row: str(row.quantity), "Einzelpreis (brutto)": lambda row: f"{comma(row.price)} €",
        "Rabatt €": lambda row: comma(row.discount), "Versandkosten": lambda row: comma(row.shipping), "EK-Preis": lambda row: comma(row.cost),
        "Bestellstatus": lambda row: words[row.status], "Werbekanal": lambda row: row.channel, "Bemerkung": lambda row: "bitte klingeln" if row.number == 2 else "",
    }  # fmt: skip
    return [export(folder / "verkäufe.csv", columns, truth.lines, delimiter=";", encoding="cp1252")]


def american_tabs(folder: Path, truth: Shop) -> list[Path]:
    columns: dict[str, Cell] = {
        "Order #": lambda row: row.order, "Order Date": lambda row: row.at.strftime("%m/%d/%Y %I:%M %p"), "Customer Number": lambda row: row.customer,
        "Ship Country": lambda row: row.country, "SKU": lambda row: row.code, "Item Description": lambda row: row.title,
        "Qty": lambda row: str(row.quantity), "Unit Price": lambda row: f"${point(row.price)}", "Discount": lambda row: f"${point(row.discount)}",
        "Cost": lambda row: f"${point(row.cost)}", "Order Status": lambda row: row.status.title(), "Marketing Channel": lambda row: row.channel,
    }  # fmt: skip
    return [export(folder / "sales_export.txt", columns, truth.lines, delimiter="\t", encoding="utf-16")]


def headerless(folder: Path, truth: Shop) -> list[Path]:
    columns: dict[str, Cell] = {
        "1": lambda row: row.order, "2": lambda row: row.at.strftime("%Y-%m-%d %H:%M:%S"), "3": lambda row: row.customer, "4": lambda row: row.code,
        "5": lambda row: row.title, "6": lambda row: str(row.quantity), "7": lambda row: f"{row.price:.2f}", "8": lambda row: f"{row.quantity * row.price:.2f}",
        "9": lambda row: row.country,
    }  # fmt: skip
    return [export(folder / "dump.csv", columns, truth.lines, header=False)]


def french(folder: Path, truth: Shop) -> list[Path]:
    words = {
        "pending": "En attente",
        "paid": "Payée",
        "shipped": "Expédiée",
        "delivered": "Livrée",
        "cancelled": "Annulée",
    }
    columns: dict[str, Cell] = {
        "N° commande": lambda row: row.order, "Date de commande": lambda row: row.at.strftime("%d/%m/%Y"), "Code client": lambda row: row.customer,
        "Pays de livraison": lambda row: row.country, "Référence": lambda row: row.code, "Désignation": lambda row: row.title, "Famille": lambda row: row.category,
        "Qté": lambda row: str(row.quantity), "Prix unitaire HT": lambda row: comma(row.price, group="\u202f"), "Remise": lambda row: comma(row.discount, group=" "),
        "Total HT": lambda row: comma(row.total, group=" "), "Statut": lambda row: words[row.status], "Canal": lambda row: row.channel,
    }  # fmt: skip
    return [export(folder / "commandes.csv", columns, truth.lines, delimiter=";", encoding="utf-8-sig")]


def quoted_totals(folder: Path, truth: Shop) -> list[Path]:
    """Comma CSV with quotes and line breaks inside fields; only totals, no unit price."""
    columns: dict[str, Cell] = {
        "order_number": lambda row: row.order, "created_at": lambda row: row.at.isoformat(), "customer_id": lambda row: row.customer,
        "product": lambda row: f"{row.title}\n({row.code})", "sku": lambda row: row.code, "quantity": lambda row: str(row.quantity),
        "line_total": lambda row: f"{row.quantity * row.price:.2f}", "currency": lambda row: "EUR", "state": lambda row: row.status,
    }  # fmt: skip
    return [export(folder / "orders_export.csv", columns, truth.lines, quoting=csv.QUOTE_ALL)]


def spanish(folder: Path, truth: Shop) -> list[Path]:
    words = {
        "pending": "Pendiente",
        "paid": "Pagado",
        "shipped": "Enviado",
        "delivered": "Entregado",
        "cancelled": "Cancelado",
    }
    columns: dict[str, Cell] = {
        "Nº pedido": lambda row: row.order, "Fecha pedido": lambda row: row.at.strftime("%d-%m-%Y"), "Id cliente": lambda row: row.customer, "País": lambda row: row.country,
        "Código artículo": lambda row: row.code, "Descripción": lambda row: row.title, "Unidades": lambda row: str(row.quantity),
        "Precio unitario": lambda row: comma(row.price), "Importe": lambda row: comma(row.quantity * row.price), "Estado": lambda row: words[row.status],
    }  # fmt: skip
    return [export(folder / "ventas.csv", columns, truth.lines, delimiter="|", encoding="latin-1")]


def italian(folder: Path, truth: Shop) -> list[Path]:
    words = {
        "pending": "In attesa",
        "paid": "Pagato",
        "shipped": "Spedito",
        "delivered": "Consegnato",
        "cancelled": "Annullato",
    }
    columns: dict[str, Cell] = {
        "Numero ordine": lambda row: row.order, "Data ordine": lambda row: row.at.strftime("%d/%m/%y"), "Codice cliente": lambda row: row.customer, "Paese": lambda row: row.country,
        "Codice articolo": lambda row: row.code, "Descrizione": lambda row: row.title, "Q.tà": lambda row: str(row.quantity),
        "Prezzo": lambda row: comma(row.price), "Sconto": lambda row: comma(row.discount), "Stato": lambda row: words[row.status],
    }  # fmt: skip
    return [export(folder / "vendite.csv", columns, truth.lines, delimiter=";")]


def portuguese(folder: Path, truth: Shop) -> list[Path]:
    words = {
        "pending": "Pendente",
        "paid": "Pago",
        "shipped": "Enviado",
        "delivered": "Entregue",
        "cancelled": "Cancelado",
    }
    columns: dict[str, Cell] = {
        "Número do pedido": lambda row: row.order, "Data do pedido": lambda row: row.at.strftime("%d/%m/%Y %H:%M:%S"), "Código do cliente": lambda row: row.customer,
        "SKU": lambda row: row.code, "Produto": lambda row: row.title, "Qtd": lambda row: str(row.quantity), "Valor unitário": lambda row: f"R$ {comma(row.price)}",
        "Desconto": lambda row: f"R$ {comma(row.discount)}", "Situação": lambda row: words[row.status],
    }  # fmt: skip
    return [export(folder / "pedidos.csv", columns, truth.lines, delimiter=";")]


def ambiguous_dates(folder: Path, truth: Shop) -> list[Path]:
    columns: dict[str, Cell] = {
        "Invoice": lambda row: row.order, "Date": lambda row: row.at.strftime("%m/%d/%Y"), "Client": lambda row: row.customer, "Item code": lambda row: row.code,
        "Item": lambda row: row.title, "Units": lambda row: str(row.quantity), "Price": lambda row: f"{row.price:.2f}", "UTM Source": lambda row: row.channel.lower(),
        "UTM Medium": lambda row: "cpc" if row.channel == "Google Ads" else "email",
    }  # fmt: skip
    return [export(folder / "invoices.csv", columns, truth.lines)]


def three_files(folder: Path, truth: Shop) -> list[Path]:
    """Orders, lines and customers apart, in Dutch."""
    words = {
        "pending": "Openstaand",
        "paid": "Betaald",
        "shipped": "Verzonden",
        "delivered": "Geleverd",
        "cancelled": "Geannuleerd",
    }
    first = {line.order: line for line in reversed(truth.sold)}
    people = {line.customer: line for line in reversed(truth.sold)}
    orders: dict[str, Cell] = {
        "id": lambda row: row.order, "klant_id": lambda row: row.customer, "besteldatum": lambda row: row.at.strftime("%d-%m-%Y %H:%M"),
        "status": lambda row: words[row.status], "verzendkosten": lambda row: comma(row.shipping), "land": lambda row: row.country,
    }  # fmt: skip
    lines: dict[str, Cell] = {
        "bestelling_id": lambda row: row.order, "regelnummer": lambda row: str(row.number), "artikelnummer": lambda row: row.code, "omschrijving": lambda row: row.title,
        "aantal": lambda row: str(row.quantity), "prijs": lambda row: comma(row.price), "korting": lambda row: comma(row.discount), "inkoopprijs": lambda row: comma(row.cost),
    }  # fmt: skip
    customers: dict[str, Cell] = {
        "klantnummer": lambda row: row.customer, "naam": lambda row: row.name, "e-mail": lambda row: row.email, "land": lambda row: row.country,
        "klant sinds": lambda row: row.at.strftime("%d-%m-%Y"),
    }  # fmt: skip
    return [
        export(folder / "bestellingen.csv", orders, list(first.values()), delimiter=";"),
        export(folder / "orderregels.csv", lines, truth.sold, delimiter=";"),
        export(folder / "klanten.csv", customers, list(people.values()), delimiter=";"),
    ]


def shopify(folder: Path, truth: Shop) -> list[Path]:
    """The shape of Shopify's order export: what belongs to the order stands in its first row only."""
    words = {"pending": "pending", "paid": "paid", "shipped": "paid", "delivered": "paid", "cancelled": "voided"}

    def first(cell: Cell) -> Cell:
        return lambda row: cell(row) if row.number == 1 else ""

    total = {
        order: sum((line.total for line in truth.sold if line.order == order), Decimal(0))
        for order in {line.order for line in truth.sold}
    }
    columns: dict[str, Cell] = {
        "Name": lambda row: f"#{row.order}", "Email": lambda row: row.email, "Financial Status": first(lambda row: words[row.status]),
        "Paid at": first(lambda row: f"{row.at:%Y-%m-%d %H:%M:%S} +0100"), "Fulfillment Status": first(lambda row: "fulfilled"), "Accepts Marketing": first(lambda row: "yes"),
        "Currency": first(lambda row: "EUR"), "Subtotal": first(lambda row: str(total[row.order])), "Shipping": first(lambda row: str(row.shipping)),
        "Taxes": first(lambda row: "0.00"), "Total": first(lambda row: str(total[row.order] + row.shipping)), "Discount Code": first(lambda row: ""),
        "Discount Amount": first(lambda row: "0.00"), "Created at": lambda row: f"{row.at:%Y-%m-%d %H:%M:%S} +0100", "Lineitem quantity": lambda row: str(row.quantity),
        "Lineitem name": lambda row: row.title, "Lineitem price": lambda row: f"{row.price:.2f}", "Lineitem compare at price": lambda row: "",
        "Lineitem sku": lambda row: row.code, "Lineitem requires shipping": lambda row: "true", "Lineitem taxable": lambda row: "true",
        "Lineitem fulfillment status": lambda row: "fulfilled", "Billing Name": first(lambda row: row.name), "Billing Street": first(lambda row: "Am Weg 1"),
        "Billing Phone": first(lambda row: "+49 30 123456"), "Shipping Country": first(lambda row: row.country), "Cancelled at": first(lambda row: ""),
        "Payment Method": first(lambda row: "PayPal"), "Vendor": lambda row: "Hersteller", "Lineitem discount": lambda row: f"{row.discount:.2f}",
    }  # fmt: skip
    return [export(folder / "orders_export_1.csv", columns, truth.sold)]


def mysql_dump(folder: Path, truth: Shop) -> list[Path]:
    """Packed dates, NULL as a word, a title above the header, totals only, cost of the whole line, test of discount in percent."""
    columns: dict[str, Cell] = {
        "order_ref": lambda row: row.order, "purchase_date": lambda row: row.at.strftime("%Y%m%d"), "buyer": lambda row: row.email, "article_no": lambda row: row.code,
        "article_name": lambda row: row.title, "pieces": lambda row: str(row.quantity), "price_each_eur": lambda row: f"{row.price:.2f}",
        "discount_pct": lambda row: "10" if row.discount else "0", "note": lambda row: "NULL",
    }  # fmt: skip
    return [
        export(folder / "export-2024.csv", columns, truth.lines, delimiter=";", before="Export vom 02.01.2025\r\n\r\n")
    ]


VARIANTS: dict[str, Callable[[Path, Shop], list[Path]]] = {
    "german": german, "american_tabs": american_tabs, "headerless": headerless, "french": french, "quoted_totals": quoted_totals, "spanish": spanish,
    "italian": italian, "portuguese": portuguese, "ambiguous_dates": ambiguous_dates, "three_files": three_files, "shopify": shopify, "mysql_dump": mysql_dump,
}  # fmt: skip
