"""Exports in the column names of well-known shop systems, over the same small shop."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

from tests.connectors.shop_exports import Cell, Line, Shop, comma, export, point

DE = {
    "pending": "Offen",
    "paid": "In Bearbeitung",
    "shipped": "Versendet",
    "delivered": "Abgeschlossen",
    "cancelled": "Storniert",
}


def woocommerce(folder: Path, truth: Shop) -> list[Path]:
    words = {
        "pending": "Pending payment",
        "paid": "Processing",
        "shipped": "Shipped",
        "delivered": "Completed",
        "cancelled": "Cancelled",
    }
    columns: dict[str, Cell] = {
        "Order Number": lambda row: row.order, "Order Status": lambda row: words[row.status], "Order Date": lambda row: f"{row.at:%Y-%m-%d %H:%M}",
        "Customer Note": lambda row: "", "First Name (Billing)": lambda row: row.name.split(" ")[0], "Last Name (Billing)": lambda row: row.name.split(" ")[1],
        "Company (Billing)": lambda row: "", "Address 1&2 (Billing)": lambda row: "Weg 1", "Postcode (Billing)": lambda row: "10115",
        "Email (Billing)": lambda row: row.email, "Phone (Billing)": lambda row: "+49 30 1234", "Country Code (Shipping)": lambda row: "DE",
        "Payment Method Title": lambda row: "PayPal", "Cart Discount Amount": lambda row: "0", "Order Shipping Amount": lambda row: str(row.shipping),
        "SKU": lambda row: row.code, "Item #": lambda row: str(row.number), "Item Name": lambda row: row.title, "Quantity (- Refund)": lambda row: str(row.quantity),
        "Item Cost": lambda row: str(row.price), "Coupon Code": lambda row: "", "Discount Amount": lambda row: str(row.discount),
    }  # fmt: skip
    return [export(folder / "orders-2024-12-31.csv", columns, truth.sold)]


def magento(folder: Path, truth: Shop) -> list[Path]:
    words = {
        "pending": "pending",
        "paid": "processing",
        "shipped": "complete",
        "delivered": "complete",
        "cancelled": "canceled",
    }
    columns: dict[str, Cell] = {
        "increment_id": lambda row: row.order, "created_at": lambda row: f"{row.at:%Y-%m-%d %H:%M:%S}", "status": lambda row: words[row.status],
        "customer_email": lambda row: row.email, "customer_id": lambda row: row.customer, "order_currency_code": lambda row: "EUR",
        "base_grand_total": lambda row: "99.00", "sku": lambda row: row.code, "name": lambda row: row.title, "qty_ordered": lambda row: f"{row.quantity}.0000",
        "price": lambda row: f"{row.price}00", "row_total": lambda row: f"{row.price * row.quantity}00", "discount_amount": lambda row: f"{row.discount:.4f}",
        "shipping_amount": lambda row: f"{row.shipping}00", "store_name": lambda row: "Main Website",
    }  # fmt: skip
    return [export(folder / "sales_order.csv", columns, truth.sold)]


def amazon(folder: Path, truth: Shop) -> list[Path]:
    words = {
        "pending": "Pending",
        "paid": "Unshipped",
        "shipped": "Shipped",
        "delivered": "Shipped - Delivered to Buyer",
        "cancelled": "Cancelled",
    }
    columns: dict[str, Cell] = {
        "amazon-order-id": lambda row: f"302-{row.order[1:]}-77", "merchant-order-id": lambda row: "", "purchase-date": lambda row: f"{row.at:%Y-%m-%dT%H:%M:%S}+00:00",
        "last-updated-date": lambda row: f"{row.at:%Y-%m-%dT%H:%M:%S}+00:00", "order-status": lambda row: words[row.status], "fulfillment-channel": lambda row: "Amazon",
        "sales-channel": lambda row: "Amazon.de", "product-name": lambda row: row.title, "sku": lambda row: row.code, "asin": lambda row: f"B0{row.code[3:]}",
        "quantity": lambda row: str(row.quantity), "currency": lambda row: "EUR", "item-price": lambda row: str(row.price),
        "shipping-price": lambda row: str(row.shipping) if row.number == 1 else "", "item-promotion-discount": lambda row: str(row.discount) if row.discount else "",
        "ship-city": lambda row: "Berlin", "ship-postal-code": lambda row: "10115", "ship-country": lambda row: "DE",
    }  # fmt: skip
    return [export(folder / "112233.txt", columns, truth.sold, delimiter="\t", encoding="utf-8")]


def etsy(folder: Path, truth: Shop) -> list[Path]:
    columns: dict[str, Cell] = {
        "Sale Date": lambda row: f"{row.at:%m/%d/%y}", "Item Name": lambda row: row.title, "Buyer": lambda row: row.name, "Quantity": lambda row: str(row.quantity),
        "Price": lambda row: point(row.price), "Coupon Code": lambda row: "", "Discount Amount": lambda row: point(row.discount), "Shipping Discount": lambda row: "0.0",
        "Order Shipping": lambda row: point(row.shipping), "Order Sales Tax": lambda row: "0.0", "Item Total": lambda row: point(row.total), "Currency": lambda row: "USD",
        "Transaction ID": lambda row: f"{row.order[1:]}{row.number:03}", "Listing ID": lambda row: f"9{row.code[3:]}", "Date Paid": lambda row: f"{row.at:%m/%d/%Y}",
        "Ship Name": lambda row: row.name, "Ship Address1": lambda row: "1 Road", "Ship Country": lambda row: "United States", "Order ID": lambda row: row.order,
        "Order Type": lambda row: "online", "Payment Type": lambda row: "online_cc", "SKU": lambda row: row.code,
    }  # fmt: skip
    return [export(folder / "EtsySoldOrderItems2024.csv", columns, truth.sold)]


def ebay(folder: Path, truth: Shop) -> list[Path]:
    columns: dict[str, Cell] = {
        "Sales Record Number": lambda row: row.order[1:], "Order Number": lambda row: row.order, "Buyer Username": lambda row: f"user{row.customer}",
        "Buyer Name": lambda row: row.name, "Buyer Email": lambda row: row.email, "Buyer Country": lambda row: row.country, "Item Number": lambda row: f"4{row.code[3:]}",
        "Item Title": lambda row: row.title, "Custom Label": lambda row: row.code, "Quantity": lambda row: str(row.quantity), "Sold For": lambda row: f"${point(row.price)}",
        "Shipping And Handling": lambda row: f"${point(row.shipping)}", "Sale Date": lambda row: f"{row.at:%b-%d-%y}", "Payment Method": lambda row: "PayPal",
    }  # fmt: skip
    return [export(folder / "eBay-OrdersReport.csv", columns, truth.sold)]


def jtl(folder: Path, truth: Shop) -> list[Path]:
    columns: dict[str, Cell] = {
        "Auftragsnummer": lambda row: row.order, "Auftragsdatum": lambda row: f"{row.at:%d.%m.%Y}", "Kundennummer": lambda row: row.customer,
        "Artikelnummer": lambda row: row.code, "Bezeichnung": lambda row: row.title, "Menge": lambda row: f"{row.quantity},00", "VK Netto": lambda row: comma(row.price),
        "Rabatt in %": lambda row: "10" if row.discount else "0", "MwSt in %": lambda row: "19", "EK Netto": lambda row: comma(row.cost), "Währung": lambda row: "EUR",
        "Plattform": lambda row: "JTL-Shop", "Zahlungsart": lambda row: "Rechnung", "Auftragsstatus": lambda row: DE[row.status],
    }  # fmt: skip
    return [export(folder / "Auftragspositionen.csv", columns, truth.lines, delimiter=";", encoding="cp1252")]


def shopware(folder: Path, truth: Shop) -> list[Path]:
    columns: dict[str, Cell] = {
        "orderNumber": lambda row: row.order, "orderTime": lambda row: f"{row.at:%d.%m.%Y %H:%M:%S}", "customerNumber": lambda row: row.customer,
        "orderState": lambda row: DE[row.status], "articleOrderNumber": lambda row: row.code, "articleName": lambda row: row.title, "qty": lambda row: str(row.quantity),
        "itemPrice": lambda row: f"{row.price}".replace(".", ","), "taxRate": lambda row: "19", "invoiceShipping": lambda row: comma(row.shipping),
        "billingCountry": lambda row: row.country,
    }  # fmt: skip
    return [export(folder / "export.csv", columns, truth.lines, delimiter=";")]


def square(folder: Path, truth: Shop) -> list[Path]:
    columns: dict[str, Cell] = {
        "Date": lambda row: f"{row.at:%m/%d/%y}", "Time": lambda row: f"{row.at:%H:%M:%S}", "Time Zone": lambda row: "Eastern Time (US & Canada)", "Category": lambda row: row.category,
        "Item": lambda row: row.title, "Qty": lambda row: f"{row.quantity}.0", "SKU": lambda row: row.code, "Gross Sales": lambda row: f"${point(row.price * row.quantity)}",
        "Discounts": lambda row: f"-${point(row.discount)}" if row.discount else "$0.00", "Net Sales": lambda row: f"${point(row.total)}", "Transaction ID": lambda row: row.order,
        "Location": lambda row: "Main St", "Customer ID": lambda row: row.customer, "Customer Name": lambda row: row.name,
    }  # fmt: skip
    return [export(folder / "items-2024-01-01-2025-01-01.csv", columns, truth.sold)]


def superstore(folder: Path, truth: Shop) -> list[Path]:
    def sales(row: Line) -> Decimal:
        return row.total

    columns: dict[str, Cell] = {
        "Row ID": lambda row: str(truth.lines.index(row) + 1), "Order ID": lambda row: row.order, "Order Date": lambda row: f"{row.at:%m/%d/%Y}",
        "Ship Date": lambda row: f"{row.at:%m/%d/%Y}", "Ship Mode": lambda row: "Standard", "Customer ID": lambda row: row.customer, "Customer Name": lambda row: row.name,
        "Segment": lambda row: "Consumer", "Country": lambda row: row.country, "Product ID": lambda row: row.code, "Category": lambda row: row.category,
        "Sub-Category": lambda row: row.category, "Product Name": lambda row: row.title, "Sales": lambda row: f"{sales(row):.4f}", "Quantity": lambda row: str(row.quantity),
        "Discount": lambda row: "0.1" if row.discount else "0", "Profit": lambda row: f"{sales(row) - row.cost * row.quantity:.4f}",
    }  # fmt: skip
    return [export(folder / "Sample - Superstore.csv", columns, truth.sold, encoding="cp1252")]


def prestashop(folder: Path, truth: Shop) -> list[Path]:
    words = {
        "pending": "En attente de paiement",
        "paid": "Paiement accepté",
        "shipped": "Expédié",
        "delivered": "Livré",
        "cancelled": "Annulé",
    }
    columns: dict[str, Cell] = {
        "Réf. commande": lambda row: row.order, "Date": lambda row: f"{row.at:%d/%m/%Y %H:%M:%S}", "Client": lambda row: row.name, "Adresse e-mail": lambda row: row.email,
        "Pays": lambda row: row.country, "Réf. produit": lambda row: row.code, "Nom du produit": lambda row: row.title, "Quantité": lambda row: str(row.quantity),
        "Prix unitaire TTC": lambda row: f"{comma(row.price, group=' ')} €", "Total TTC": lambda row: f"{comma(row.price * row.quantity, group=' ')} €",
        "Frais de port": lambda row: f"{comma(row.shipping)} €", "État": lambda row: words[row.status], "Paiement": lambda row: "Carte",
    }  # fmt: skip
    return [export(folder / "commandes_2024.csv", columns, truth.lines, delimiter=";", encoding="utf-8")]


SYSTEMS: dict[str, Callable[[Path, Shop], list[Path]]] = {
    "woocommerce": woocommerce, "magento": magento, "amazon": amazon, "etsy": etsy, "ebay": ebay, "jtl": jtl, "shopware": shopware, "square": square,
    "superstore": superstore, "prestashop": prestashop,
}  # fmt: skip
