"""Spreadsheets: rows as an XLSX file, written as they come, in little memory."""

from treering.gateway.sheets.workbook import MEDIA_TYPE, MOST, workbook

__all__ = ["MEDIA_TYPE", "MOST", "workbook"]
